import { isTaskerError, TaskerError } from "../core/error.ts"
import type { Queryable } from "../core/database.ts"
import { isThenable } from "../core/thenable.ts"
import type { Workflow } from "../core/workflow.ts"
import { createTasks as createTaskRows } from "../store/create-tasks.ts"
import { observedChange } from "../store/observed-change.ts"
import { readStandingTasks } from "../store/read-standing-tasks.ts"
import { traceCreateTasks } from "../tracing/creation-spans.ts"
import { objectRule, transactionRule } from "./argument-rules.ts"
import { assertArgument, assertOptions } from "./assert-argument.ts"
import { type CallerTransaction, queryableOf } from "./caller-transaction.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { tellCreated } from "./tell-tasks.ts"
import type { TaskHandle } from "./task-reference.ts"
import { type EncodedRequest, type TaskOptions, taskRequest } from "./task-request.ts"

/** One of many tasks to create. */
export interface TaskRequest<Input, StepName extends string = string> extends TaskOptions<StepName> {
  readonly input: Input
}

export interface CreateTasksOptions {
  /**
   * The caller's own client, inside a transaction: the tasks then exist if and only if that transaction commits.
   *
   * Default: a transaction of their own; either all are created or none.
   */
  readonly transaction?: CallerTransaction | undefined
}

/** How many tasks one call creates at most. */
export const MAX_TASKS_PER_CALL = 10_000

/** Creates tasks of one workflow, all or none, in one statement. */
export async function createTasks<Input, Results, CreateInput>(
  rooms: ClientRooms,
  workflow: Workflow<Input, Results, CreateInput>,
  requests: readonly TaskRequest<CreateInput>[],
  options: CreateTasksOptions = {},
): Promise<readonly TaskHandle<Results>[]> {
  assertOptions("createTasks", options, { transaction: transactionRule })
  assertArgument("requests", requests, {
    rule: `a list of at most ${MAX_TASKS_PER_CALL} requests`,
    accepts: (value) => Array.isArray(value) && value.length <= MAX_TASKS_PER_CALL,
  })
  const found = rooms.findWorkflow(workflow)
  if (requests.length === 0) return []
  return await traceCreateTasks({ workflow, count: requests.length }, rooms.redact, async (nextTraceContext) => {
    const encoded: EncodedRequest[] = []
    for (const [index, request] of requests.entries()) {
      assertArgument(`requests[${index}]`, request, objectRule)
      const { input, ...taskOptions } = request
      try {
        const encoding = taskRequest(rooms, found, input, taskOptions, nextTraceContext())
        encoded.push(isThenable(encoding) ? await encoding : encoding)
      } catch (error) {
        refuse(error, index)
      }
    }
    return await insertTasks(rooms, workflow, encoded, options.transaction)
  })
}

/** The same error, and which of the requests it is about. */
function refuse(error: unknown, index: number): never {
  if (!isTaskerError(error)) throw error
  throw new TaskerError(error.code, `requests[${index}]: ${error.message}`, {
    hint: error.hint,
    details: { ...error.details, index },
    cause: error,
  })
}

/** Inserts requests that were checked and encoded, and wakes workers when they are committed. */
export async function insertTasks<Results>(
  rooms: ClientRooms,
  workflow: Workflow<unknown, Results, unknown>,
  encoded: readonly EncodedRequest[],
  transaction: CallerTransaction | undefined,
): Promise<readonly TaskHandle<Results>[]> {
  const db = transaction === undefined ? rooms.database : queryableOf(transaction)
  const json = `[${encoded.map((request) => request.json).join(",")}]`
  const insert = (on: Queryable) => createTaskRows(on, json, { notify: transaction !== undefined })
  const isPlain = encoded.every((request) => request.isPlain)
  const tasks =
    transaction === undefined && !isPlain
      ? await observedChange(rooms.database, rooms.changes, insert)
      : await insert(db)
  const standingIds = tasks.filter((task) => !task.created).map(({ taskId }) => taskId)
  const standing = standingIds.length === 0 ? new Map<string, never>() : await readStandingTasks(db, standingIds)
  if (transaction === undefined && standingIds.length < tasks.length) rooms.announce("ready")
  const { namespace, name, version } = workflow
  const handles = tasks.map(({ taskId, created }) => ({
    taskId,
    created,
    workflow: standing.get(taskId)?.workflow ?? { namespace, name, version },
  }))
  // In a transaction of the caller's only the caller learns whether the tasks exist; the feed tells it then.
  if (transaction === undefined) tellCreated(rooms.events, handles, encoded, { standing, isCreationTold: !isPlain })
  return handles
}
