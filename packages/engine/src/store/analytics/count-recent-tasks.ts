import type { Queryable } from "../../core/database.ts"
import type { TaskState } from "../../core/state.ts"
import { run } from "../run.ts"

/** How the tasks that were created of late stand, by the clock of the database. */
export async function countRecentTasks(
  db: Queryable,
  recentMs: number,
): Promise<readonly { readonly state: TaskState; readonly count: number }[]> {
  return await run(db, {
    text: "select state, count from tasker.count_recent_tasks(now() - $1 * interval '1 millisecond')",
    values: [recentMs],
  })
}
