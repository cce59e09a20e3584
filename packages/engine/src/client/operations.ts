import { isTaskerError, TaskerError } from "../core/error.ts"
import type { Hint } from "../core/hints.ts"
import { encodeJson } from "../core/json.ts"
import { didYouMean } from "../core/names.ts"
import { nameRule } from "../core/option-rules.ts"
import type { JsonValue } from "../core/schema.ts"
import { cancelTask as cancelTaskRow } from "../store/cancel-task.ts"
import { limitQueue as limitQueueRow } from "../store/limit-queue.ts"
import { listStepNames } from "../store/list-step-names.ts"
import type { OperatorNote } from "../store/operator.ts"
import { pauseQueue as pauseQueueRow } from "../store/pause-queue.ts"
import { pauseTask as pauseTaskRow } from "../store/pause-task.ts"
import { resolveStep as resolveStepRow } from "../store/resolve-step.ts"
import { resolveTask as resolveTaskRow } from "../store/resolve-task.ts"
import { resumeTask as resumeTaskRow } from "../store/resume-task.ts"
import { retrySteps } from "../store/retry-steps.ts"
import { skipStep as skipStepRow } from "../store/skip-step.ts"
import { queueLimitRule, reasonRule, whoRule } from "./argument-rules.ts"
import { assertArgument, assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { taskIdOf, type TaskReference } from "./task-reference.ts"

/** Whether an operator's call changed anything. What stood so already is left as it is, and is no error. */
export interface Change {
  readonly changed: boolean
}

/** A result that somebody found by hand, who and why. */
export interface StepResolutionOptions extends OperatorNote {
  /** What dependents of the step see: JSON. Default: null. */
  readonly result?: JsonValue | undefined
}

const NOTE_RULES = { by: whoRule, reason: reasonRule }
const RESOLUTION_RULES = { ...NOTE_RULES, result: { rule: "JSON", accepts: () => true } }

export async function cancelTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("cancelTask", task, note)
  return await act(rooms, { taskId }, ["cancelled", "ended"], () => cancelTaskRow(rooms.database, taskId, note))
}

export async function pauseTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("pauseTask", task, note)
  return await act(rooms, { taskId }, [], () => pauseTaskRow(rooms.database, taskId, note))
}

export async function resumeTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("resumeTask", task, note)
  return await act(rooms, { taskId }, ["ready"], () => resumeTaskRow(rooms.database, taskId, note))
}

export async function retryTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("retryTask", task, note)
  return await act(rooms, { taskId }, ["ready"], () => retrySteps(rooms.database, taskId, null, note))
}

export async function resolveTask(rooms: ClientRooms, task: TaskReference, note: OperatorNote = {}): Promise<Change> {
  const taskId = checkTask("resolveTask", task, note)
  return await act(rooms, { taskId }, ["ended"], () => resolveTaskRow(rooms.database, taskId, note))
}

export async function retryStep(
  rooms: ClientRooms,
  task: TaskReference,
  step: string,
  note: OperatorNote = {},
): Promise<Change> {
  const taskId = checkTask("retryStep", task, note)
  await assertStepName(rooms, taskId, step)
  return await act(rooms, { taskId, step }, ["ready"], () => retrySteps(rooms.database, taskId, step, note))
}

export async function skipStep(
  rooms: ClientRooms,
  task: TaskReference,
  step: string,
  note: OperatorNote = {},
): Promise<Change> {
  const taskId = checkTask("skipStep", task, note)
  await assertStepName(rooms, taskId, step)
  return await act(rooms, { taskId, step }, ["ready", "ended"], () => skipStepRow(rooms.database, taskId, step, note))
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
  return await act(rooms, { taskId, step }, ["ready", "ended"], () =>
    resolveStepRow(rooms.database, taskId, step, { ...note, result: json }),
  )
}

export async function pauseQueue(rooms: ClientRooms, queue: string, note: OperatorNote = {}): Promise<Change> {
  checkQueue("pauseQueue", queue, note)
  return await act(rooms, { queue }, [], () => pauseQueueRow(rooms.database, queue, true, note))
}

export async function resumeQueue(rooms: ClientRooms, queue: string, note: OperatorNote = {}): Promise<Change> {
  checkQueue("resumeQueue", queue, note)
  return await act(rooms, { queue }, ["ready"], () => pauseQueueRow(rooms.database, queue, false, note))
}

export async function limitQueue(rooms: ClientRooms, queue: string, maxRunning: number | null): Promise<Change> {
  checkQueue("limitQueue", queue, {})
  assertArgument("maxRunning", maxRunning, queueLimitRule)
  return await act(rooms, { queue }, ["ready"], () => limitQueueRow(rooms.database, queue, maxRunning))
}

function checkTask(call: string, task: TaskReference, note: OperatorNote): string {
  const taskId = taskIdOf(task)
  assertOptions(call, note, NOTE_RULES)
  return taskId
}

function checkQueue(call: string, queue: string, note: OperatorNote): void {
  assertArgument("queue", queue, nameRule)
  assertOptions(call, note, NOTE_RULES)
}

/** A text that cannot be a step's name is told so, with the name that it may have meant. */
async function assertStepName(rooms: ClientRooms, taskId: string, step: string): Promise<void> {
  if (nameRule.accepts(step)) return
  if (typeof step !== "string") assertArgument("step", step, nameRule)
  await refuseStep(rooms, taskId, step, `task ${taskId} has no step ${JSON.stringify(step)}`)
}

async function act(
  rooms: ClientRooms,
  subject: { readonly taskId?: string; readonly step?: string; readonly queue?: string },
  hints: readonly Hint[],
  change: () => Promise<boolean>,
): Promise<Change> {
  try {
    const changed = await change()
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

async function refuseStep({ database }: ClientRooms, taskId: string, step: string, message: string): Promise<never> {
  const steps = await listStepNames(database, taskId)
  throw new TaskerError("TASKER_STEP_NOT_FOUND", message, {
    hint: didYouMean(step, steps),
    details: { taskId, step, steps },
  })
}
