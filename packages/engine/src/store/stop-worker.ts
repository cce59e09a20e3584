import type { Queryable } from "../core/database.ts"
import { runOne } from "./run.ts"

/** Ends a worker. Returns how many steps it handed back; 0 too when it was stopped or lost before. */
export async function stopWorker(db: Queryable, workerId: number): Promise<number> {
  const row = await runOne<{ steps: number }>(db, {
    text: "select tasker.stop_worker($1) as steps",
    values: [workerId],
  })
  return row.steps
}
