import type { Queryable } from "../core/database.ts"
import type { TransitionFacts } from "../core/events/transition-event.ts"
import { run, runOne } from "./run.ts"

/** The id of the last row of history that is committed, or that `tx` has written; 0 when there is none. */
export async function lastTransitionId(tx: Queryable): Promise<number> {
  const { last } = await runOne<{ last: number }>(tx, {
    text: "select coalesce(max(transition_id), 0) as last from tasker.transitions",
  })
  return last
}

/**
 * What the transaction `tx` has written into history, in order, but for what it
 * wrote under a savepoint. A transaction that has written nothing takes no id for the question.
 *
 * @param after - an id from before: it is looked for above that
 */
export async function ownTransitions(tx: Queryable, after: number): Promise<readonly TransitionFacts[]> {
  return await run<TransitionFacts>(tx, {
    text: `
      select ${TRANSITION_FACTS}
      from tasker.transition_details
      where transition_id > $1
        and written_by = pg_current_xact_id_if_assigned()::xid
      order by transition_id`,
    values: [after],
  })
}

/** The columns of `tasker.transition_details` by the names that events have for them. */
export const TRANSITION_FACTS = `
  at,
  task_id as "taskId",
  namespace,
  workflow,
  version,
  correlation_id as "correlationId",
  step,
  from_state as "from",
  to_state as "to",
  attempt,
  max_attempts as "maxAttempts",
  worker_id as "workerId",
  cause,
  actor as "by",
  reason,
  error,
  published,
  duration_ms as "durationMs",
  delay_ms as "delayMs"`
