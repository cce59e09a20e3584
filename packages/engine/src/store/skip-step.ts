import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/**
 * Lets a task go on without a step that may be skipped.
 *
 * @returns whether anything changed: false when it is skipped already
 * @throws {@link TaskerError} `TASKER_TASK_NOT_FOUND`, `TASKER_STEP_NOT_FOUND`, `TASKER_STEP_NOT_SKIPPABLE`,
 *   `TASKER_TRANSITION_INVALID` when the step runs or has ended
 */
export async function skipStep(db: Queryable, taskId: string, step: string, note: OperatorNote): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.skip_step",
    text: "select tasker.skip_step($1, $2, $3, $4) as changed",
    values: [taskId, step, note.by, note.reason],
  })
  return changed
}
