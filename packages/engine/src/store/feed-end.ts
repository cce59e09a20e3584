import type { Queryable } from "../core/database.ts"
import type { FeedPosition } from "../core/events/feed-position.ts"
import { runOne } from "./run.ts"

/** How many rows of history may be written between a row's number and its commit, for one who follows from then on to see it. */
const LOOKBACK = 10_000

/** The end of history. */
export interface FeedEnd {
  /** Where one stands who follows from now on: what is under way may still fill its gaps. */
  readonly position: FeedPosition
  /** The highest number that was given to a row. */
  readonly given: number
}

export async function feedEnd(db: Queryable): Promise<FeedEnd> {
  const end = await runOne<FeedEndRow>(db, { text: "select * from tasker.feed_end($1)", values: [LOOKBACK] })
  const gaps = end.lows.map((low, index) => ({ low, high: end.highs[index] ?? low }))
  return { position: { head: end.head, gaps }, given: end.given }
}

interface FeedEndRow {
  readonly head: number
  readonly lows: readonly number[]
  readonly highs: readonly number[]
  readonly given: number
}
