import { taskIdRule } from "../core/option-rules.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { assertArgument } from "./assert-argument.ts"

/** A task that was created, and the types of what its steps return. */
export interface TaskHandle<Results = unknown> {
  readonly taskId: string
  /** False when a task stood under the same identity already: this one. */
  readonly created: boolean
  /** The workflow that the task is pinned to. One that stood already may have another version than was asked for. */
  readonly workflow: WorkflowId
  /** Carries the types; absent at run time. */
  readonly "~types"?: { readonly results: Results }
}

/** A task, by its id or by what `createTask` returned. */
export type TaskReference = string | Pick<TaskHandle, "taskId">

/**
 * The id of a task, in lower case.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when it is none
 */
export function taskIdOf(task: TaskReference): string {
  const taskId: unknown = typeof task === "object" && task !== null ? task.taskId : task
  assertArgument("task", taskId, taskIdRule)
  return String(taskId).toLowerCase()
}
