import { createTraceState, type SpanContext, TraceFlags } from "@opentelemetry/api"

/** What W3C Trace Context says of version 00: trace, span and flags. Later versions may append to it. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-\S*)?$/

/**
 * A span's context as it is stored with a task: a W3C `traceparent`, and after a space the `tracestate`, if there is any.
 * Always that, whichever format the host's propagator uses, so that processes with different ones share a task's trace.
 */
export function encodeTraceContext({ traceId, spanId, traceFlags, traceState }: SpanContext): string {
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`
  const state = traceState?.serialize() ?? ""
  return state === "" ? traceparent : `${traceparent} ${state}`
}

/** Reads what {@link encodeTraceContext} wrote, or somebody else by plain SQL; `undefined` when it is no context. */
export function decodeTraceContext(text: string): SpanContext | undefined {
  const space = text.indexOf(" ")
  const [, traceId, spanId, flags] = TRACEPARENT.exec(space === -1 ? text : text.slice(0, space)) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  const traceFlags = Number.parseInt(flags, 16)
  const context = { traceId, spanId, traceFlags, isRemote: true }
  return space === -1 ? context : { ...context, traceState: createTraceState(text.slice(space + 1)) }
}

/** Stored in place of a context: the trace would begin with the task, and is not recorded. */
const NO_TRACE = "00"

/**
 * As {@link encodeTraceContext}, of a span with which a trace begins. When it is not recorded nobody has seen its ids, and
 * they are left out: under load most tasks are of this kind, and their contexts are stored, and sent with each step.
 */
export function encodeFirstContext(context: SpanContext): string {
  return (context.traceFlags & TraceFlags.SAMPLED) === 0 ? NO_TRACE : encodeTraceContext(context)
}

/** As {@link TRACEPARENT}, of a trace that is not recorded. */
const NOT_SAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][02468ace](?: |$)/

/** Whether whoever created the task decided that its trace is not recorded. */
export function isLeftOut(stored: string | null): stored is string {
  return stored === NO_TRACE || (stored !== null && NOT_SAMPLED.test(stored))
}

/**
 * The context of a task that nobody gave one: its id is that of the trace, so that all workers that run the task agree
 * on one trace without asking each other. The span that it names is never seen.
 *
 * It counts as sampled: whoever wants fewer of these traces says so in the sampler, which sees that the trace has
 * the id of the task.
 */
export function ownTraceContext(taskId: string): SpanContext {
  const traceId = taskId.replaceAll("-", "")
  return { traceId, spanId: traceId.slice(16), traceFlags: TraceFlags.SAMPLED, isRemote: true }
}

/** The context that the spans of a task are children of. */
export function taskTraceContext(taskId: string, stored: string | null): SpanContext {
  if (stored === NO_TRACE) return { ...ownTraceContext(taskId), traceFlags: TraceFlags.NONE }
  return (stored === null ? undefined : decodeTraceContext(stored)) ?? ownTraceContext(taskId)
}
