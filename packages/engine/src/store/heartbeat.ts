import type { Queryable } from "../core/database.ts"
import { type AttemptKey, attemptArrays } from "./attempt.ts"
import { run } from "./run.ts"

/**
 * Extends the lease of a worker and of all that it runs.
 *
 * @param running - what the worker believes that it runs
 * @returns the attempts among `running` that are no longer its own: cancelled, or taken back
 * @throws {@link TaskerError} `TASKER_LEASE_LOST` when the worker is lost or stopped
 */
export async function heartbeat(
  db: Queryable,
  workerId: number,
  running: readonly AttemptKey[],
): Promise<readonly AttemptKey[]> {
  const rows = await run<{ task_id: string; step_no: number; attempt: number }>(db, {
    name: "tasker.heartbeat",
    text: "select task_id, step_no, attempt from tasker.heartbeat($1, $2::uuid[], $3::smallint[], $4::smallint[])",
    values: [workerId, ...attemptArrays(running)],
  })
  return rows.map((row) => ({ taskId: row.task_id, stepNo: row.step_no, attempt: row.attempt }))
}
