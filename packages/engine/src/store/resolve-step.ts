import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/** A result that somebody found by hand, who and why. */
export interface StepResolution extends OperatorNote {
  /** JSON: what dependents of the step see. */
  readonly result: string
}

/**
 * Gives a step the result that somebody found by hand.
 *
 * @returns whether anything changed: false when it is resolved already
 * @throws {@link TaskerError} `TASKER_TASK_NOT_FOUND`, `TASKER_STEP_NOT_FOUND`, `TASKER_TRANSITION_INVALID` when
 *   the step runs or has ended
 */
export async function resolveStep(
  db: Queryable,
  taskId: string,
  step: string,
  resolution: StepResolution,
): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.resolve_step",
    text: "select tasker.resolve_step($1, $2, $3::jsonb, $4, $5) as changed",
    values: [taskId, step, resolution.result, resolution.by, resolution.reason],
  })
  return changed
}
