import type { Queryable } from "../core/database.ts"
import { type AttemptKey, attemptArrays } from "./attempt.ts"
import { runOne } from "./run.ts"

/**
 * Hands back what a worker holds without knowing it, after an answer was lost on
 * its way. No call of the worker may be under way.
 *
 * @param known - what it runs, or has an outcome for
 * @returns how many steps were handed back
 * @throws {@link TaskerError} `TASKER_LEASE_LOST` when the worker is lost or stopped
 */
export async function recoverWorker(db: Queryable, workerId: number, known: readonly AttemptKey[]): Promise<number> {
  const row = await runOne<{ steps: number }>(db, {
    text: "select tasker.recover_worker($1, $2::uuid[], $3::smallint[], $4::smallint[]) as steps",
    values: [workerId, ...attemptArrays(known)],
  })
  return row.steps
}
