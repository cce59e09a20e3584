import type { HandlerCall, HandlerEnd } from "../core/events/event-payloads.ts"
import { type EventSink, wantsAny } from "../core/events/event-sink.ts"
import type { ClaimedStep } from "../store/advance.ts"
import type { ServedStep } from "./served-workflows.ts"

/** Tells when the handler of one attempt is called, and how it ends. */
export interface HandlerWatch {
  run<T>(handler: () => T | Promise<T>): T | Promise<T>
  /** The time is over; how the handler ends after that is not told. */
  timedOut(): void
}

const NOBODY_WATCHES: HandlerWatch = { run: (handler) => handler(), timedOut: () => {} }

export function watchHandler(
  events: EventSink,
  workerId: number,
  { claimed, served }: { readonly claimed: ClaimedStep; readonly served: ServedStep },
): HandlerWatch {
  if (!wantsAny(events, ["step.before_handle", "step.handle"])) return NOBODY_WATCHES
  let calledAt: number | undefined

  const call: HandlerCall = {
    taskId: claimed.taskId,
    namespace: served.workflow.namespace,
    workflow: served.workflow.name,
    version: served.workflow.version,
    correlationId: claimed.correlationId ?? claimed.taskId,
    step: served.step.spec.name,
    attempt: claimed.attempt,
    workerId,
  }

  function end(outcome: HandlerEnd["outcome"]): void {
    // Not called yet, or told already.
    if (calledAt === undefined) return
    const durationMs = performance.now() - calledAt
    calledAt = undefined
    events.publish("step.handle", { ...call, outcome, durationMs })
  }

  return {
    async run(handler) {
      events.publish("step.before_handle", call)
      calledAt = performance.now()
      try {
        const result = await handler()
        end("returned")
        return result
      } catch (error) {
        end("threw")
        throw error
      }
    },
    timedOut: () => end("timed_out"),
  }
}
