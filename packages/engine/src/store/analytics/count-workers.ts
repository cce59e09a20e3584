import type { Queryable } from "../../core/database.ts"
import { runOne } from "../run.ts"

/** How many workers there are, in all processes. */
export interface WorkerCounts {
  /** Their lease holds. */
  readonly live: number
  /** How many steps these may run at once, together. */
  readonly concurrency: number
  /** Their lease ran out, and nobody has taken their steps back yet. */
  readonly overdue: number
  /** They were given up of late. */
  readonly lost: number
  /** They stopped of late. */
  readonly stopped: number
}

/** How many workers are live, overdue, and were lost or stopped of late. */
export async function countWorkers(db: Queryable, recentMs: number): Promise<WorkerCounts> {
  return await runOne<WorkerCounts>(db, {
    text: `
      select live, concurrency, overdue, lost, stopped
      from tasker.count_workers(now() - $1 * interval '1 millisecond')`,
    values: [recentMs],
  })
}
