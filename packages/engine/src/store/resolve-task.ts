import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/**
 * Closes a failed task that somebody settled by other means.
 *
 * @returns whether anything changed: false when it is resolved already
 * @throws {@link TaskerError} `TASKER_TASK_NOT_FOUND`, `TASKER_TRANSITION_INVALID` when the task is not in error
 */
export async function resolveTask(db: Queryable, taskId: string, note: OperatorNote): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.resolve_task",
    text: "select tasker.resolve_task($1, $2, $3) as changed",
    values: [taskId, note.by, note.reason],
  })
  return changed
}
