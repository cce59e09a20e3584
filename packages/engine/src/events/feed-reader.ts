import type { Queryable } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { Redactor } from "../core/redact.ts"
import type { TaskerEvent } from "../core/events/event-map.ts"
import {
  BEGINNING,
  decodePosition,
  dropGaps,
  encodeGaps,
  encodePosition,
  type FeedPosition,
  LAST_ROW,
  markGaps,
  passRow,
} from "../core/events/feed-position.ts"
import { eventsOfTransition } from "../core/events/transition-event.ts"
import { describeValue } from "../core/describe-value.ts"
import type { OptionRule } from "../core/option-rules.ts"
import { feedEnd } from "../store/feed-end.ts"
import { type FeedFilter, readFeed } from "../store/read-feed.ts"
import { eventWithoutSecrets } from "./without-secrets.ts"

/** An event of history, and where to go on after it. */
export type FeedEvent<Event = TaskerEvent> = Event & {
  /** Given as `after`, the feed goes on behind this event. */
  readonly cursor: string
}

/** Some of what happened, in order. */
export interface FeedBatch {
  readonly events: readonly FeedEvent[]
  /** The row of history of each event. */
  readonly rows: readonly number[]
  /** How many rows of history they were made of, those included that the filter does not want. */
  readonly rowCount: number
  /** There may be more already. */
  readonly isFull: boolean
}

/** How many rows of history are read at once. */
const BATCH_ROWS = 1_000

/** What a feed is read with. */
export interface FeedReaderRooms {
  readonly database: Queryable
  /** Hides the secrets in what people and handlers wrote, as subscribers of the process are told it. */
  readonly redact: Redactor
}

/** Reads history in batches, each row once. Its position moves with what it has given. */
export class FeedReader {
  readonly #rooms: FeedReaderRooms
  readonly #filter: FeedFilter
  #position: FeedPosition
  #gaps: FeedPosition["gaps"] = []
  #gapsText = ""

  constructor(rooms: FeedReaderRooms, position: FeedPosition, filter: FeedFilter = {}) {
    this.#rooms = rooms
    this.#position = position
    this.#filter = filter
  }

  /** What a reader starts from that goes on behind all that this one has given. */
  get cursor(): string {
    return this.#encode(this.#position)
  }

  /** The next batch. When it cannot be read, the position stays. */
  async read(limit = BATCH_ROWS): Promise<FeedBatch> {
    const { rows, horizon, mark } = await readFeed(this.#rooms.database, {
      position: this.#position,
      filter: this.#filter,
      limit,
    })
    const isFull = rows.length === limit
    const events: FeedEvent[] = []
    const ofEvents: number[] = []
    let position = mark === undefined ? this.#position : markGaps(this.#position, mark)
    for (const { transitionId, facts } of rows) {
      const before = position
      position = passRow(position, transitionId)
      if (facts === undefined) continue
      const ofRow = eventsOfTransition(facts)
      for (const [index, event] of ofRow.entries()) {
        // A row that stands for several events is behind when the last of them was given.
        const isLast = index === ofRow.length - 1
        const shown = eventWithoutSecrets(event, this.#rooms.redact)
        events.push({ ...shown, cursor: this.#encode(isLast ? position : before) })
        ofEvents.push(transitionId)
      }
    }
    this.#position = dropGaps(position, horizon, isFull ? (rows.at(-1)?.transitionId ?? 0) : LAST_ROW)
    return { events, rows: ofEvents, rowCount: rows.length, isFull }
  }

  #encode(position: FeedPosition): string {
    // Most rows leave the gaps as they are.
    if (position.gaps !== this.#gaps) {
      this.#gaps = position.gaps
      this.#gapsText = encodeGaps(position.gaps)
    }
    return encodePosition(position, this.#gapsText)
  }
}

/** Where a feed can start: behind an event that was delivered, with what happens from now on, or with all that ever happened. */
export type FeedStart = "now" | "beginning" | (string & {})

export const feedStartRule: OptionRule = {
  rule: '"now", "beginning" or the cursor of an event',
  accepts: (value) => typeof value === "string",
}

/**
 * Refuses what is no start of a feed.
 *
 * @param what - how the caller calls it
 * @throws TaskerError `TASKER_CURSOR_INVALID`
 */
export function assertFeedStart(what: string, start: FeedStart): void {
  if (start !== "now" && start !== "beginning" && decodePosition(start) === undefined) refuse(what, start)
}

/**
 * The position that a feed starts from.
 *
 * @throws TaskerError `TASKER_CURSOR_INVALID` when it is no cursor of an event, or of one of another database
 */
export async function findFeedStart(database: Queryable, start: FeedStart): Promise<FeedPosition> {
  if (start === "beginning") return BEGINNING
  const end = await feedEnd(database)
  if (start === "now") return end.position
  const position = decodePosition(start) ?? refuse("cursor", start)
  if (position.head <= end.given) return position
  throw new TaskerError("TASKER_CURSOR_INVALID", `the cursor ${start} is ahead of all that happened in this database`, {
    hint: "it was given by another database, or by this one before it was restored: start from the beginning, or from now",
    details: { cursor: start },
  })
}

function refuse(what: string, start: FeedStart): never {
  throw new TaskerError(
    "TASKER_CURSOR_INVALID",
    `expected ${what} to be ${feedStartRule.rule}, got ${describeValue(start)}`,
    { hint: "pass `cursor` of an event that the feed delivered, unchanged", details: { cursor: start } },
  )
}
