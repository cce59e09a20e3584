import type { Queryable } from "../core/database.ts"
import { FOLLOWED_MS, HINTS, type Hint } from "../core/hints.ts"
import { notify } from "../store/notify.ts"

/** The channel that all processes listen on. */
export const CHANNEL = "tasker"

/** At most one notification per this time: each one's commit makes the others wait. */
const INTERVAL_MS = 25

/** Tells other processes that something may be worth a look, and reads what they tell. */
export interface Notifier {
  /** That history has moved is told only while somebody follows it in another process. */
  notify(hint: Hint): void
  /** Says that this process follows history. */
  follow(): void
  /** The hints in a notification, none when it is this process's own. */
  read(payload: string): readonly Hint[]
  /** Ends it; what was not sent yet is dropped, since it is only a hint. */
  close(): void
}

export interface NotifierOptions {
  readonly database: Queryable
  /** This process, so that it does not answer itself. */
  readonly origin: string
  /** False sends nothing. */
  readonly isEnabled: boolean
  /** A clock that only goes forward, in milliseconds. */
  readonly now: () => number
}

/**
 * Sends hints to other processes, the first at once and then gathered, outside
 * of every transaction. A hint that cannot be sent is dropped: everybody polls.
 */
export function createNotifier({ database, origin, isEnabled, now }: NotifierOptions): Notifier {
  const pending = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let followedUntil = 0
  const flush = () => {
    timer = undefined
    if (pending.size === 0) return
    const words = [...pending]
    pending.clear()
    timer = setTimeout(flush, INTERVAL_MS)
    timer.unref()
    notify(database, CHANNEL, `${words.join(",")}:${origin}`).catch(() => {})
  }
  const send = (word: string) => {
    if (!isEnabled) return
    pending.add(word)
    if (timer === undefined) flush()
  }
  return {
    notify(hint) {
      if (hint !== "moved" || now() < followedUntil) send(hint)
    },
    follow: () => send(FOLLOWED),
    read(payload) {
      const [list = "", from] = payload.split(":")
      if (from === origin) return []
      const words = list.split(",")
      if (words.includes(FOLLOWED)) followedUntil = now() + FOLLOWED_MS
      return HINTS.filter((hint) => words.includes(hint))
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      pending.clear()
    },
  }
}

const FOLLOWED = "followed"
