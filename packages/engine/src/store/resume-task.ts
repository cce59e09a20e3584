import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/**
 * Hands out a paused task's steps again.
 *
 * @returns whether anything changed: false when it is not paused
 * @throws {@link TaskerError} `TASKER_TASK_NOT_FOUND`
 */
export async function resumeTask(db: Queryable, taskId: string, note: OperatorNote): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.resume_task",
    text: "select tasker.resume_task($1, $2, $3) as changed",
    values: [taskId, note.by, note.reason],
  })
  return changed
}
