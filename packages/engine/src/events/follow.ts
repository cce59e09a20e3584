import { checkOptions } from "../core/check-options.ts"
import type { Database } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { EventPattern, TaskerEvent } from "../core/events/event-map.ts"
import { matchesPattern, patternProblem } from "../core/events/event-pattern.ts"
import { encodePosition, type FeedPosition } from "../core/events/feed-position.ts"
import type { Logger } from "../core/logger.ts"
import type { Redactor } from "../core/redact.ts"
import { integerRule, nameRule, signalRule, taskIdRule } from "../core/option-rules.ts"
import { pause } from "./abortable.ts"
import { FeedAlarm, type FeedAlarmOptions } from "./feed-alarm.ts"
import {
  assertFeedStart,
  type FeedEvent,
  FeedReader,
  type FeedStart,
  feedStartRule,
  findFeedStart,
} from "./feed-reader.ts"
import { keepTrying, type TryingOptions } from "./keep-trying.ts"

/** Where a feed starts, and what of it. */
export interface FollowOptions<Pattern extends string = "*"> {
  /**
   * The `cursor` of an event: the feed goes on behind it. `"now"`: with what is committed from now on. `"beginning"`:
   * with all of history.
   *
   * Default: `"now"`.
   */
  readonly after?: FeedStart | undefined
  /** Only events of these names: `"task.failed"`, `"step.*"`. Default: all. */
  readonly events?: readonly EventPattern<Pattern>[] | undefined
  /** Only events of this task. */
  readonly taskId?: string | undefined
  /** Only events of workflows in this namespace. */
  readonly namespace?: string | undefined
  /** Only events of workflows of this name. */
  readonly workflow?: string | undefined
  /** Ends the feed. */
  readonly signal?: AbortSignal | undefined
  /** How long until the database is asked again when nothing was heard of it, in milliseconds; 10 to 60,000. Default: 1,000. */
  readonly pollMs?: number | undefined
}

/** All that happens in the whole system, in order, and behind which event to go on. */
export interface Feed<Event = TaskerEvent> extends AsyncIterableIterator<FeedEvent<Event>, undefined, undefined> {
  /**
   * Settles once the feed stands where it starts, with the cursor of that place. Without it, what is committed just
   * after `follow()` was called may or may not be among what a feed from `"now"` gives.
   */
  start(): Promise<string>
  /** Ends the feed, at once. */
  return(): Promise<IteratorReturnResult<undefined>>
}

/** What following history needs of its process. */
export interface FollowRooms extends FeedAlarmOptions {
  readonly database: Database
  readonly logger: Logger
  readonly redact: Redactor
}

/** Options as they were given: not checked yet. */
export interface GivenFollowOptions extends Omit<FollowOptions, "events"> {
  readonly events?: readonly unknown[] | undefined
}

/** The least between two reads, so that a busy system is read in batches. */
export const LEAST_MS = 20

/** A feed, and who reads it. */
export class Follower implements Feed {
  readonly #rooms: FollowRooms
  readonly #options: GivenFollowOptions
  readonly #patterns: readonly string[] | undefined
  readonly #onEnd: (follower: Follower) => void
  readonly #ending = new AbortController()
  readonly #alarm: FeedAlarm
  readonly #trying: TryingOptions
  readonly #starting: Promise<FeedPosition | undefined>
  readonly #events: AsyncGenerator<FeedEvent, undefined, undefined>

  /**
   * @param onEnd - told once it has ended, whatever ended it
   * @throws TaskerError `TASKER_OPTION_INVALID`, `TASKER_CURSOR_INVALID`
   */
  constructor(rooms: FollowRooms, options: GivenFollowOptions, onEnd: (follower: Follower) => void) {
    checkOptions("events.follow", options, FOLLOW_RULES, "TASKER_OPTION_INVALID")
    const { after = "now" } = options
    assertFeedStart("after", after)
    this.#rooms = rooms
    this.#options = options
    this.#patterns = options.events?.map(String)
    this.#onEnd = onEnd
    this.#trying = { signal: this.#ending.signal, logger: rooms.logger, who: { feed: "events.follow" } }
    this.#alarm = new FeedAlarm(rooms)
    options.signal?.addEventListener("abort", this.#end, { once: true })
    this.#starting = keepTrying(() => findFeedStart(rooms.database, after), this.#trying)
    // Whoever reads it is told.
    this.#starting.catch(() => {})
    this.#events = this.#run()
    if (options.signal?.aborted === true) this.#end()
  }

  get hasEnded(): boolean {
    return this.#ending.signal.aborted
  }

  async start(): Promise<string> {
    const position = await this.#starting
    if (position === undefined) throw new TaskerError("TASKER_CLOSED", "the feed has ended")
    return encodePosition(position)
  }

  next(): Promise<IteratorResult<FeedEvent, undefined>> {
    return this.#events.next()
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end()
    // A read that is under way gives up.
    await this.#events.return(undefined)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wants({ name }: FeedEvent): boolean {
    return this.#patterns?.some((pattern) => matchesPattern(pattern, name)) ?? true
  }

  readonly #end = (): void => {
    if (this.#ending.signal.aborted) return
    this.#ending.abort()
    this.#alarm.stop()
    this.#options.signal?.removeEventListener("abort", this.#end)
    this.#onEnd(this)
  }

  async *#run(): AsyncGenerator<FeedEvent, undefined, undefined> {
    try {
      yield* this.#read()
    } finally {
      this.#end()
    }
  }

  async *#read(): AsyncGenerator<FeedEvent, undefined, undefined> {
    const { signal } = this.#ending
    const { pollMs = 1_000 } = this.#options
    const position = await this.#starting
    if (position === undefined) return
    const reader = new FeedReader(this.#rooms, position, this.#options)
    while (!signal.aborted) {
      this.#alarm.clear()
      const startedAt = performance.now()
      const batch = await keepTrying(() => reader.read(), this.#trying)
      for (const event of batch?.events ?? []) {
        if (signal.aborted) return
        if (this.#wants(event)) yield event
      }
      if (batch?.isFull !== false) continue
      await this.#alarm.wait(pollMs, signal)
      await pause(LEAST_MS - (performance.now() - startedAt), signal)
    }
  }
}

const FOLLOW_RULES = {
  after: feedStartRule,
  events: {
    rule: 'a list of names of events, such as "step.completed", or wildcards, such as "step.*"',
    accepts: (value: unknown) => Array.isArray(value) && value.every((one) => patternProblem(one) === undefined),
  },
  taskId: taskIdRule,
  namespace: nameRule,
  workflow: nameRule,
  signal: signalRule,
  pollMs: integerRule(10, 60_000),
}
