import type { Queryable } from "../core/database.ts"
import { type FeedPosition, unsettledRows } from "../core/events/feed-position.ts"
import type { TransitionFacts } from "../core/events/transition-event.ts"
import { TRANSITION_FACTS } from "./own-transitions.ts"
import { run } from "./run.ts"

/** Which rows of history somebody wants. Default: all. */
export interface FeedFilter {
  readonly taskId?: string | undefined
  readonly namespace?: string | undefined
  readonly workflow?: string | undefined
}

export interface FeedRequest {
  readonly position: FeedPosition
  readonly filter: FeedFilter
  /** How many rows at most. */
  readonly limit: number
}

/** A row of history. */
export interface FeedRow {
  readonly transitionId: number
  /** `undefined` where the filter does not want it. */
  readonly facts: TransitionFacts | undefined
}

/** Rows of history that were read in one snapshot. */
export interface FeedRead {
  /** In their order. */
  readonly rows: readonly FeedRow[]
  /** All transactions below this had ended. */
  readonly horizon: number
  /** Was given out before; above every transaction that may fill a gap which was known then. Only where there was one without. */
  readonly mark: number | undefined
}

/** The next rows of history after a position, those in its gaps included. */
export async function readFeed(db: Queryable, { position, filter, limit }: FeedRequest): Promise<FeedRead> {
  const missing = unsettledRows(position)
  const rows = await run<FeedSqlRow>(db, {
    name: "tasker.read_feed",
    text: READ_FEED,
    values: [
      missing.map(({ low }) => low),
      missing.map(({ high }) => high),
      limit,
      position.gaps.some(({ mark }) => mark === undefined),
      filter.taskId ?? null,
      filter.namespace ?? null,
      filter.workflow ?? null,
    ],
  })
  return {
    rows: rows.flatMap(({ horizon: _horizon, mark: _mark, transitionId, ...facts }) =>
      transitionId === null ? [] : [{ transitionId, facts: facts.taskId === null ? undefined : facts }],
    ),
    horizon: rows[0]?.horizon ?? 0,
    mark: rows[0]?.mark ?? undefined,
  }
}

const READ_FEED = `
  select horizon, mark, transition_id as "transitionId", ${TRANSITION_FACTS}
  from tasker.read_feed($1::bigint[], $2::bigint[], $3, $4, $5, $6, $7)
  order by transition_id`

interface FeedSqlRow extends TransitionFacts {
  readonly horizon: number
  readonly mark: number | null
  readonly transitionId: number | null
}
