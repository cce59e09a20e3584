import { FOLLOWING_MS, HINTS, type Hints } from "../core/hints.ts"
import { unlessAborted } from "./abortable.ts"

export interface FeedAlarmOptions {
  readonly hints: Hints
  /** Says to other processes that this one follows, so that they say when history moves. */
  readonly announce: () => void
}

/** Wakes one who follows history: soon after a hint that it may have moved, and after a while without any. */
export class FeedAlarm {
  readonly #stops: readonly (() => void)[]
  #isHinted = false
  #onHint: () => void = () => {}

  constructor({ hints, announce }: FeedAlarmOptions) {
    announce()
    const timer = setInterval(announce, FOLLOWING_MS).unref()
    // Whatever the hint: something was committed.
    const stops = HINTS.map((hint) => hints.on(hint, () => this.#hear()))
    this.#stops = [...stops, () => clearInterval(timer)]
  }

  /** Forgets the hints so far: what they were about is read now. */
  clear(): void {
    this.#isHinted = false
  }

  /** Settles with the next hint, or the one that came since `clear()`; after `ms` at the latest, or with the signal. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const woken = new Promise<void>((resolve) => {
      this.#onHint = resolve
      timer = setTimeout(resolve, this.#isHinted ? 0 : ms)
    })
    await unlessAborted(woken, signal)
    clearTimeout(timer)
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  #hear(): void {
    this.#isHinted = true
    this.#onHint()
  }
}
