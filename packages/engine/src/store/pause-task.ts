import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/**
 * Stops handing out a task's steps. What runs goes on to its end.
 *
 * @returns whether anything changed: false when it is paused already
 * @throws {@link TaskerError} `TASKER_TASK_NOT_FOUND`, `TASKER_TRANSITION_INVALID` when the task has ended
 */
export async function pauseTask(db: Queryable, taskId: string, note: OperatorNote): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.pause_task",
    text: "select tasker.pause_task($1, $2, $3) as changed",
    values: [taskId, note.by, note.reason],
  })
  return changed
}
