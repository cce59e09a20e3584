import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/**
 * Ends a task and every step of it that has not ended.
 *
 * @returns whether anything changed: false when it is cancelled already
 * @throws {@link TaskerError} `TASKER_TASK_NOT_FOUND`, `TASKER_TRANSITION_INVALID` when the task has ended
 */
export async function cancelTask(db: Queryable, taskId: string, note: OperatorNote): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.cancel_task",
    text: "select tasker.cancel_task($1, $2, $3) as changed",
    values: [taskId, note.by, note.reason],
  })
  return changed
}
