import { eventError } from "../core/events/event-error.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { FeedPosition } from "../core/events/feed-position.ts"
import { delayBeforeAttempt } from "../core/retry-policy.ts"
import type { EventFailure } from "../store/subscriptions/subscription.ts"
import { pause } from "./abortable.ts"
import type { FeedAlarm } from "./feed-alarm.ts"
import { type FeedBatch, type FeedEvent, FeedReader } from "./feed-reader.ts"
import { LEAST_MS, type FollowRooms } from "./follow.ts"
import { handleEvent, type HandlerEntries, isHandled } from "./handle-event.ts"
import type { HeldLease } from "./held-lease.ts"
import { keepTrying } from "./keep-trying.ts"

export interface SubscriptionRooms extends FollowRooms {
  readonly events: EventSink
}

/** How a durable subscription works. */
export interface SubscriptionSettings {
  readonly name: string
  readonly handlers: HandlerEntries
  /** Undefined: never. */
  readonly skipAfter: number | undefined
  readonly timeoutMs: number
  readonly leaseMs: number
  readonly pollMs: number
  readonly backoff: { readonly baseMs: number; readonly capMs: number }
}

/** What one turn starts from. */
export interface TurnStart {
  readonly lease: HeldLease
  readonly position: FeedPosition
  /** What is known of the next event, and how long until it is tried again. */
  readonly failure: EventFailure | null
  readonly retryMs: number
}

export interface TurnSignals {
  /** No event is begun after it. */
  readonly halt: AbortSignal
  /** Nobody waits for a handler after it, and nothing counts any more. Halts, too. */
  readonly abandon: AbortSignal
}

/** The longest that an event stays handled and is not recorded so while others come, in milliseconds. */
const RECORD_MS = 500

/** The same, in events. */
const RECORD_EVENTS = 100

/** How often it is recorded that a subscription has passed events that are none of its own. */
const PASSED_MS = 5_000

/** One process's turn with a durable subscription: it handles event after event, until it is halted. */
export class SubscriptionTurn {
  readonly #rooms: SubscriptionRooms
  readonly #settings: SubscriptionSettings
  readonly #lease: HeldLease
  readonly #signals: TurnSignals
  readonly #reader: FeedReader
  #failure: EventFailure | null
  #retryAt: number
  /** Behind all that was handled, or is none of its own. */
  #cursor: string
  #recordedCursor: string
  #recordedAt = performance.now()
  #handledCount = 0

  constructor(rooms: SubscriptionRooms, settings: SubscriptionSettings, start: TurnStart, signals: TurnSignals) {
    this.#rooms = rooms
    this.#settings = settings
    this.#lease = start.lease
    this.#signals = signals
    this.#reader = new FeedReader(rooms, start.position)
    this.#failure = start.failure
    this.#retryAt = performance.now() + start.retryMs
    this.#cursor = this.#reader.cursor
    this.#recordedCursor = this.#cursor
  }

  /** Where the subscription stands, unless that is recorded. */
  get unrecorded(): string | undefined {
    return this.#cursor === this.#recordedCursor ? undefined : this.#cursor
  }

  async run(alarm: FeedAlarm): Promise<void> {
    const { halt } = this.#signals
    const trying = { signal: halt, logger: this.#rooms.logger, who: { subscription: this.#settings.name } }
    while (!halt.aborted) {
      alarm.clear()
      const startedAt = performance.now()
      const batch = await keepTrying(() => this.#reader.read(), trying)
      if (batch === undefined || !(await this.#handleAll(batch))) return
      this.#cursor = this.#reader.cursor
      const dueMs = await this.#recordIfDue()
      if (batch.isFull) continue
      await alarm.wait(Math.min(this.#settings.pollMs, dueMs), halt)
      await pause(LEAST_MS - (performance.now() - startedAt), halt)
    }
  }

  /** @returns false when it was halted before the last of them was handled */
  async #handleAll({ events, rows }: FeedBatch): Promise<boolean> {
    for (const [index, event] of events.entries()) {
      if (!isHandled(this.#settings.handlers, event)) continue
      if (!(await this.#handle(event, rows[index] ?? 0))) return false
      this.#cursor = event.cursor
      this.#handledCount += 1
      await this.#recordIfDue()
    }
    return true
  }

  /** Tries until the event is handled or skipped. @returns false when it was halted before */
  async #handle(event: FeedEvent, row: number): Promise<boolean> {
    const { halt, abandon } = this.#signals
    const { handlers, timeoutMs } = this.#settings
    for (;;) {
      const isKnown = this.#failure?.row === row && this.#failure.event === event.name
      const attempt = isKnown ? (this.#failure?.attempts ?? 0) + 1 : 1
      if (isKnown) await pause(this.#retryAt - performance.now(), halt)
      if (halt.aborted) return false
      const failed = await handleEvent(handlers, event, { attempt, timeoutMs, signal: abandon })
      // It may have been handled, and may have to be handled again by whoever has the subscription now.
      if (abandon.aborted) return false
      if (failed === undefined) return true
      const failure = {
        row,
        event: event.name,
        attempts: attempt,
        error: eventError(failed.thrown, this.#rooms.redact),
      }
      this.#tell("subscription.failed", failure)
      if (attempt >= (this.#settings.skipAfter ?? Number.POSITIVE_INFINITY)) return await this.#skip(event, failure)
      await this.#retryLater(failure)
    }
  }

  async #retryLater(failure: EventFailure): Promise<void> {
    const backoff = { ...this.#settings.backoff, factor: 2, jitter: 0.1 }
    const retryMs = delayBeforeAttempt(failure.attempts + 1, backoff, Math.random)
    this.#failure = failure
    this.#retryAt = performance.now() + retryMs
    await this.#record({ ...failure, retryMs })
  }

  async #skip(event: FeedEvent, failure: EventFailure): Promise<boolean> {
    const { cursor, ...given } = event
    if (!(await this.#lease.skip({ failure, event: given, cursor }))) return false
    this.#noteRecorded(cursor)
    this.#tell("subscription.skipped", failure)
    return true
  }

  #tell(name: "subscription.failed" | "subscription.skipped", { event, attempts: attempt, error }: EventFailure): void {
    const subscription = this.#settings.name
    const facts = { subscription, event, cursor: this.#cursor, attempt, error }
    this.#rooms.events.publish(name, facts)
  }

  /** @returns how long until something has to be recorded, in milliseconds */
  async #recordIfDue(): Promise<number> {
    const elapsedMs = performance.now() - this.#recordedAt
    const isDue =
      this.#handledCount >= RECORD_EVENTS
      || (this.#handledCount > 0 && elapsedMs >= RECORD_MS)
      || (this.unrecorded !== undefined && elapsedMs >= PASSED_MS)
    if (isDue) await this.#record()
    return this.#handledCount > 0 ? RECORD_MS - elapsedMs : Number.POSITIVE_INFINITY
  }

  async #record(failure?: EventFailure & { readonly retryMs: number }): Promise<void> {
    const cursor = this.#cursor
    if (await this.#lease.move({ cursor: this.unrecorded, failure })) this.#noteRecorded(cursor)
  }

  #noteRecorded(cursor: string): void {
    this.#recordedCursor = cursor
    this.#recordedAt = performance.now()
    this.#handledCount = 0
  }
}
