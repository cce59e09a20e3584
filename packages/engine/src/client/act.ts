import { isTaskerError, TaskerError } from "../core/error.ts"
import type { Hint } from "../core/hints.ts"
import type { Queryable } from "../core/database.ts"
import { didYouMean } from "../core/names.ts"
import { listStepNames } from "../store/list-step-names.ts"
import { observedChange } from "../store/observed-change.ts"
import { reasonRule, whoRule } from "./argument-rules.ts"
import type { ClientRooms } from "./client-rooms.ts"

/** Whether an operator's call changed anything. What stood so already is left as it is, and is no error. */
export interface Change {
  readonly changed: boolean
}

/** What an operator's call is about. */
export interface Subject {
  readonly taskId?: string
  readonly step?: string
  readonly queue?: string
}

/** Who and why. */
export const NOTE_RULES = { by: whoRule, reason: reasonRule }

/** Does what an operator asked for, hints at its consequences, and says what an error is about. */
export async function act(
  rooms: ClientRooms,
  subject: Subject,
  hints: readonly Hint[],
  change: (db: Queryable) => Promise<boolean>,
): Promise<Change> {
  try {
    const changed = await observedChange(rooms.database, rooms.changes, change)
    if (changed) for (const hint of hints) rooms.announce(hint)
    return { changed }
  } catch (error) {
    if (!isTaskerError(error)) throw error
    const { taskId, step } = subject
    if (error.code === "TASKER_STEP_NOT_FOUND" && taskId !== undefined && step !== undefined) {
      return await refuseStep(rooms, taskId, step, error.message)
    }
    throw new TaskerError(error.code, error.message, {
      hint: error.hint,
      cause: error.cause,
      details: { ...subject, ...error.details },
    })
  }
}

/** Refuses a step that the task does not have, with the name that may have been meant. */
export async function refuseStep(
  { database }: ClientRooms,
  taskId: string,
  step: string,
  message: string,
): Promise<never> {
  const steps = await listStepNames(database, taskId)
  throw new TaskerError("TASKER_STEP_NOT_FOUND", message, {
    hint: didYouMean(step, steps),
    details: { taskId, step, steps },
  })
}
