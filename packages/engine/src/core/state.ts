/**
 * The states of steps and tasks, and what may follow what. The database
 * enforces the same tables; a test compares the two.
 *
 * Step: `pending` until a worker claims it, then `in_progress`. An attempt ends
 * in `complete`, in `waiting_for_retry` (another attempt is due at `run_at`), in
 * `error` (none is left, or the failure is permanent), in `skipped` (as `error`,
 * but the step is skippable), or in `waiting` (it sleeps, and holds no worker).
 * `skipped`, `resolved_manually` and `error` → `pending` are an operator's.
 *
 * Task: `pending` until a step of it is claimed. `complete` when all its steps
 * are done; `error` when none can make progress and one is in `error`.
 */

/** The states of a step. */
export const STEP_STATES = [
  "pending",
  "in_progress",
  "waiting_for_retry",
  "waiting",
  "complete",
  "error",
  "skipped",
  "cancelled",
  "resolved_manually",
] as const

export type StepState = (typeof STEP_STATES)[number]

/** The states of a task. `paused` is a flag of a task, not a state. */
export const TASK_STATES = ["pending", "in_progress", "complete", "error", "cancelled", "resolved_manually"] as const

export type TaskState = (typeof TASK_STATES)[number]

/** The states that may follow each state of a step. */
export const STEP_TRANSITIONS: Readonly<Record<StepState, readonly StepState[]>> = Object.freeze({
  pending: ["in_progress", "skipped", "cancelled", "resolved_manually"],
  in_progress: ["complete", "waiting_for_retry", "waiting", "error", "skipped", "cancelled"],
  waiting_for_retry: ["in_progress", "skipped", "cancelled", "resolved_manually"],
  waiting: ["in_progress", "cancelled"],
  error: ["pending", "skipped", "cancelled", "resolved_manually"],
  complete: [],
  skipped: [],
  cancelled: [],
  resolved_manually: [],
})

/** The states that may follow each state of a task. One without steps to run passes through `in_progress` too. */
export const TASK_TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = Object.freeze({
  pending: ["in_progress", "cancelled"],
  in_progress: ["complete", "error", "cancelled"],
  error: ["in_progress", "resolved_manually"],
  complete: [],
  cancelled: [],
  resolved_manually: [],
})

/** Whether dependents of a step in this state may run. */
export function isSatisfied(state: StepState): boolean {
  return state === "complete" || state === "skipped" || state === "resolved_manually"
}

/** Whether a step may never leave this state. */
export function isFinalStepState(state: StepState): boolean {
  return STEP_TRANSITIONS[state].length === 0
}

/** Whether a task may never leave this state. `error` is not final: an operator may retry or resolve. */
export function isFinalTaskState(state: TaskState): boolean {
  return TASK_TRANSITIONS[state].length === 0
}
