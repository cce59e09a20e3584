import { TaskerError } from "../core/error.ts"
import type { Workflow } from "../core/workflow.ts"
import { traceCreateTask } from "../tracing/creation-spans.ts"
import { transactionRule } from "./argument-rules.ts"
import { assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { type CreateTasksOptions, insertTasks } from "./create-tasks.ts"
import type { TaskHandle } from "./task-reference.ts"
import { TASK_RULES, type TaskOptions, taskRequest } from "./task-request.ts"

export interface CreateTaskOptions<StepName extends string = string>
  extends TaskOptions<StepName>, CreateTasksOptions {}

const RULES = { ...TASK_RULES, transaction: transactionRule }

/** Creates one task. */
export async function createTask<Input, Results, CreateInput>(
  rooms: ClientRooms,
  workflow: Workflow<Input, Results, CreateInput>,
  input: CreateInput,
  options: CreateTaskOptions = {},
): Promise<TaskHandle<Results>> {
  assertOptions("createTask", options, RULES)
  const { transaction, ...taskOptions } = options
  const found = rooms.findWorkflow(workflow)
  return await traceCreateTask(workflow, rooms.redact, async (traceContext) => {
    const encoded = await taskRequest(rooms, found, input, taskOptions, traceContext)
    const [handle] = await insertTasks(rooms, workflow, [encoded], transaction)
    if (handle === undefined) throw new TaskerError("TASKER_INTERNAL", "creating one task gave no task")
    return handle
  })
}
