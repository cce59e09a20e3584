import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/**
 * Gives failed steps of a task another set of attempts, at once.
 *
 * @param step - its name, or `null` for every step in error
 * @returns whether anything changed: false when there was nothing to retry, or it was about to run anyway
 * @throws {@link TaskerError} `TASKER_TASK_NOT_FOUND`, `TASKER_STEP_NOT_FOUND`, `TASKER_TRANSITION_INVALID` when
 *   the task or the step is done or cancelled
 */
export async function retrySteps(
  db: Queryable,
  taskId: string,
  step: string | null,
  note: OperatorNote,
): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.retry_steps",
    text: "select tasker.retry_steps($1, $2, $3, $4) as changed",
    values: [taskId, step, note.by, note.reason],
  })
  return changed
}
