import { TaskerError } from "../core/error.ts"
import { listSteps } from "../store/list-steps.ts"
import { listTransitions } from "../store/list-transitions.ts"
import { readTask } from "../store/read-task.ts"
import type { Step, Task, Transition } from "../store/task.ts"
import { type ExecutionContext, taskExecutionContexts } from "../store/task-execution-contexts.ts"
import { assertArgument } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { taskIdOf, type TaskReference } from "./task-reference.ts"

/** A task, with its input. */
export async function getTask({ database }: ClientRooms, task: TaskReference): Promise<Task> {
  const taskId = taskIdOf(task)
  return (await readTask(database, taskId)) ?? refuseMissing(taskId)
}

/** The steps of a task, each after all that it depends on, with what keeps them waiting. */
export async function getSteps(rooms: ClientRooms, task: TaskReference): Promise<readonly Step[]> {
  const taskId = taskIdOf(task)
  const steps = await listSteps(rooms.database, taskId)
  // A workflow may have no steps, so none does not mean that there is no task.
  if (steps.length === 0) await getTask(rooms, taskId)
  return steps
}

/** All that happened to a task and its steps, in order. */
export async function getHistory({ database }: ClientRooms, task: TaskReference): Promise<readonly Transition[]> {
  const taskId = taskIdOf(task)
  const transitions = await listTransitions(database, taskId)
  // Every task was created.
  return transitions.length === 0 ? refuseMissing(taskId) : transitions
}

/** How far a task is, and what to do about it. */
export async function getExecutionContext({ database }: ClientRooms, task: TaskReference): Promise<ExecutionContext> {
  const taskId = taskIdOf(task)
  const [context] = await taskExecutionContexts(database, [taskId])
  return context ?? refuseMissing(taskId)
}

/** The same of many tasks at once, in their order; those that do not exist are left out. */
export async function getExecutionContexts(
  { database }: ClientRooms,
  tasks: readonly TaskReference[],
): Promise<readonly ExecutionContext[]> {
  assertArgument("tasks", tasks, {
    rule: "a list of at most 1000 tasks",
    accepts: (value) => Array.isArray(value) && value.length <= 1_000,
  })
  const taskIds = tasks.map(taskIdOf)
  const contexts = new Map((await taskExecutionContexts(database, taskIds)).map((context) => [context.taskId, context]))
  return taskIds.flatMap((taskId) => contexts.get(taskId) ?? [])
}

export function refuseMissing(taskId: string): never {
  throw new TaskerError("TASKER_TASK_NOT_FOUND", `task ${taskId} does not exist`, {
    hint: "check the id; a task that was pruned is gone",
    details: { taskId },
  })
}
