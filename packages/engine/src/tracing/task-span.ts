import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api"
import type { EndedTaskFacts } from "../core/events/change-watch.ts"
import type { Redact } from "../core/redact.ts"
import { findTracer } from "./find-tracer.ts"
import { shownCorrelationId } from "./shown-correlation-id.ts"
import type { TraceAttributes } from "./trace-attributes.ts"
import { isLeftOut, taskTraceContext } from "./trace-context.ts"
import { tryTracing } from "./tracing-trouble.ts"

/**
 * Writes the span of a task that has ended, from its creation to its end, unless its trace is not recorded. For whoever
 * ended it, once.
 *
 * @param redact - takes secrets out of what users wrote
 */
export function traceTask(task: EndedTaskFacts, redact: Redact): void {
  const tracer = findTracer()
  if (tracer === undefined || isLeftOut(task.traceContext)) return
  tryTracing(() => writeSpan(tracer, task, redact))
}

function writeSpan(tracer: Tracer, task: EndedTaskFacts, redact: Redact): void {
  const parent = taskTraceContext(task.taskId, task.traceContext)
  const span = tracer.startSpan(
    `tasker.task ${task.workflow}`,
    { startTime: task.createdAt, attributes: attributesOf(task, redact) },
    trace.setSpanContext(ROOT_CONTEXT, parent),
  )
  if (task.outcome === "error") span.setStatus({ code: SpanStatusCode.ERROR, message: "a step failed for good" })
  span.end(task.finishedAt)
}

function attributesOf(task: EndedTaskFacts, redact: Redact): Attributes {
  const { createdAt, startedAt, workerId } = task
  const attributes: TraceAttributes = {
    "tasker.workflow.namespace": task.namespace,
    "tasker.workflow.name": task.workflow,
    "tasker.workflow.version": task.version,
    "tasker.task.id": task.taskId,
    "tasker.task.correlation_id": shownCorrelationId(task, redact),
    "tasker.task.outcome": task.outcome,
  }
  if (startedAt !== null) attributes["tasker.task.wait_ms"] = startedAt.getTime() - createdAt.getTime()
  if (workerId !== null) attributes["tasker.worker.id"] = workerId
  return attributes
}
