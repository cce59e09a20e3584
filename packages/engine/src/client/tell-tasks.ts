import { ERROR_CODES, isTaskerError, type TaskerError } from "../core/error.ts"
import type { TaskChange, TaskFacts } from "../core/events/event-payloads.ts"
import { eventError } from "../core/events/event-error.ts"
import { type EventSink, wantsAny } from "../core/events/event-sink.ts"
import type { StandingTask } from "../store/read-standing-tasks.ts"
import type { AnyWorkflow, WorkflowId } from "../core/workflow.ts"
import { whoRule } from "./argument-rules.ts"
import type { ClientRooms } from "./client-rooms.ts"
import type { TaskHandle } from "./task-reference.ts"

/**
 * Tells what became of requests for tasks, in their order.
 *
 * @param options.standing - the tasks that were there already
 * @param options.isCreationTold - whether the tasks that were created are told of by other means
 */
export function tellCreated(
  events: EventSink,
  handles: readonly TaskHandle[],
  requests: readonly { readonly correlationId: string | null }[],
  options: { readonly standing: ReadonlyMap<string, StandingTask>; readonly isCreationTold: boolean },
): void {
  if (!wantsAny(events, ["task.initialize_requested", "task.deduplicated"])) return
  events.batch(() => {
    for (const [index, { taskId, created, workflow }] of handles.entries()) {
      const { namespace, name, version } = workflow
      const facts = {
        taskId,
        namespace,
        workflow: name,
        version,
        correlationId: requests[index]?.correlationId ?? options.standing.get(taskId)?.correlationId ?? taskId,
      }
      if (!created) events.publish("task.deduplicated", facts)
      else if (!options.isCreationTold) events.publish("task.initialize_requested", creationOf(facts))
    }
  })
}

/** Field by field: each field after a spread costs V8 a µs. */
function creationOf({ taskId, namespace, workflow, version, correlationId }: TaskFacts): TaskChange {
  return {
    taskId,
    namespace,
    workflow,
    version,
    correlationId,
    from: null,
    to: "pending",
    cause: null,
    by: null,
    reason: null,
    workerId: null,
    durationMs: null,
  }
}

/**
 * Tells when a request is refused, and lets the error pass.
 *
 * @param find - the request that the error is about, if there is one
 */
export async function tellRefusal<T>(
  { events, redact }: Pick<ClientRooms, "events" | "redact">,
  workflow: AnyWorkflow,
  find: (error: TaskerError) => { readonly correlationId?: unknown } | null | undefined,
  create: () => Promise<T>,
): Promise<T> {
  try {
    return await create()
  } catch (error) {
    // What the database could not do is no refusal. What is no workflow has no name to tell it by.
    if (isTaskerError(error) && ERROR_CODES[error.code].status < 500 && hasName(workflow)) {
      const { namespace, name, version } = workflow
      const given = find(error)?.correlationId
      // It may be what is refused.
      const correlationId = typeof given === "string" && whoRule.accepts(given) ? given : null
      const told = eventError(error, redact)
      events.publish("task.refused", { namespace, workflow: name, version, correlationId, error: told })
    }
    throw error
  }
}

/** Without a compiler, a workflow may be anything. */
function hasName(workflow: Partial<Record<keyof WorkflowId, unknown>> | null | undefined): boolean {
  return [workflow?.namespace, workflow?.name, workflow?.version].every((part) => typeof part === "string")
}

/** The request of several that an error is about. */
export function requestOf<Request>(requests: readonly Request[], { details }: TaskerError): Request | undefined {
  const index = details["index"]
  return typeof index === "number" ? requests[index] : undefined
}
