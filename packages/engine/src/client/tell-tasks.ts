import { ERROR_CODES, isTaskerError } from "../core/error.ts"
import type { TaskChange, TaskFacts } from "../core/events/event-payloads.ts"
import { eventError } from "../core/events/event-error.ts"
import { type EventSink, wantsAny } from "../core/events/event-sink.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import type { TaskHandle } from "./task-reference.ts"

/**
 * Tells what became of requests for tasks, in their order.
 *
 * @param options.isCreationTold - whether the tasks that were created are told of by other means
 */
export function tellCreated(
  events: EventSink,
  handles: readonly TaskHandle[],
  requests: readonly { readonly correlationId: string | null }[],
  options: { readonly isCreationTold: boolean },
): void {
  if (!wantsAny(events, ["task.initialize_requested", "task.deduplicated"])) return
  for (const [index, { taskId, created, workflow }] of handles.entries()) {
    const { namespace, name, version } = workflow
    const facts = {
      taskId,
      namespace,
      workflow: name,
      version,
      correlationId: requests[index]?.correlationId ?? taskId,
    }
    if (!created) events.publish("task.deduplicated", facts)
    else if (!options.isCreationTold) events.publish("task.initialize_requested", creationOf(facts))
  }
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

/** Tells when a request is refused, and lets the error pass. */
export async function tellRefusal<T>(
  events: EventSink,
  workflow: AnyWorkflow,
  options: { readonly correlationId?: string | undefined } | undefined,
  create: () => Promise<T>,
): Promise<T> {
  try {
    return await create()
  } catch (error) {
    // What the database could not do is no refusal. Without a compiler, the workflow may be anything.
    if (isTaskerError(error) && ERROR_CODES[error.code].status < 500 && workflow === Object(workflow)) {
      const { namespace, name, version } = workflow
      const correlationId = options?.correlationId ?? null
      events.publish("task.refused", { namespace, workflow: name, version, correlationId, error: eventError(error) })
    }
    throw error
  }
}
