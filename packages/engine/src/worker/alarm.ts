/** A timer that goes off at the earliest of the times that were asked for. */
export class Alarm {
  readonly #onAlarm: () => void
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #isStopped = false

  constructor(onAlarm: () => void) {
    this.#onAlarm = onAlarm
  }

  /** Goes off after `ms`, or earlier when that was asked for; not at all once it was stopped. */
  setWithin(ms: number): void {
    if (this.#isStopped) return
    const dueAt = performance.now() + ms
    if (dueAt >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    // A timer may fire up to a millisecond early, and a step that is not yet due would be missed.
    this.#timer = setTimeout(() => this.#goOff(), Math.ceil(ms) + 1)
  }

  /** Never goes off again: what is under way when a worker stops still asks for the next poll. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#isStopped = true
  }

  #goOff(): void {
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#onAlarm()
  }
}
