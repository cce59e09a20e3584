import { encodeJson } from "../core/json.ts"
import { nameRule } from "../core/option-rules.ts"
import type { JsonValue } from "../core/schema.ts"
import type { OperatorNote } from "../store/operator.ts"
import { resolveStep as resolveStepRow } from "../store/resolve-step.ts"
import { retrySteps } from "../store/retry-steps.ts"
import { skipStep as skipStepRow } from "../store/skip-step.ts"
import { act, type Change, NOTE_RULES, refuseStep } from "./act.ts"
import { assertArgument, assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { taskIdOf, type TaskReference } from "./task-reference.ts"

/** A result that somebody found by hand, who and why. */
export interface StepResolutionOptions extends OperatorNote {
  /** What dependents of the step see: JSON. Default: null. */
  readonly result?: JsonValue | undefined
}

const RESOLUTION_RULES = { ...NOTE_RULES, result: { rule: "JSON", accepts: () => true } }

export async function retryStep(
  rooms: ClientRooms,
  task: TaskReference,
  step: string,
  note: OperatorNote = {},
): Promise<Change> {
  const taskId = taskIdOf(task)
  assertOptions("retryStep", note, NOTE_RULES)
  await assertStepName(rooms, taskId, step)
  return await act(rooms, { taskId, step }, ["ready"], (db) => retrySteps(db, taskId, step, note))
}

export async function skipStep(
  rooms: ClientRooms,
  task: TaskReference,
  step: string,
  note: OperatorNote = {},
): Promise<Change> {
  const taskId = taskIdOf(task)
  assertOptions("skipStep", note, NOTE_RULES)
  await assertStepName(rooms, taskId, step)
  return await act(rooms, { taskId, step }, ["ready", "ended"], (db) => skipStepRow(db, taskId, step, note))
}

export async function resolveStep(
  rooms: ClientRooms,
  task: TaskReference,
  step: string,
  options: StepResolutionOptions = {},
): Promise<Change> {
  const taskId = taskIdOf(task)
  assertOptions("resolveStep", options, RESOLUTION_RULES)
  await assertStepName(rooms, taskId, step)
  const { result = null, ...note } = options
  const json = encodeJson(result, { what: "result", maxBytes: rooms.limits.resultBytes, code: "TASKER_RESULT_INVALID" })
  return await act(rooms, { taskId, step }, ["ready", "ended"], (db) =>
    resolveStepRow(db, taskId, step, { ...note, result: json }),
  )
}

/** A text that cannot be a step's name is told so, with the name that it may have meant. */
async function assertStepName(rooms: ClientRooms, taskId: string, step: string): Promise<void> {
  if (nameRule.accepts(step)) return
  if (typeof step !== "string") assertArgument("step", step, nameRule)
  await refuseStep(rooms, taskId, step, `task ${taskId} has no step ${JSON.stringify(step)}`)
}
