import type { Queryable } from "../core/database.ts"
import type { TransitionFacts } from "../core/events/transition-event.ts"
import { run } from "./run.ts"

/**
 * What the transaction `tx` has written into the history of these tasks so far, in
 * order, but for what it wrote under a savepoint.
 */
export async function ownTransitions(tx: Queryable, taskIds: readonly string[]): Promise<readonly TransitionFacts[]> {
  return await run<TransitionFacts>(tx, {
    text: `
      select ${TRANSITION_FACTS}
      from tasker.transition_details
      where task_id = any ($1::uuid[])
        and written_by = pg_current_xact_id()::xid
      order by transition_id`,
    values: [taskIds],
  })
}

/** The columns of `tasker.transition_details` by the names that events have for them. */
const TRANSITION_FACTS = `
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
