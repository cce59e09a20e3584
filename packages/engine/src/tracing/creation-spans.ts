import { context, type Link, ROOT_CONTEXT, type Span, SpanKind, trace, type Tracer } from "@opentelemetry/api"
import { eventError } from "../core/events/event-error.ts"
import type { Redact } from "../core/redact.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { findTracer } from "./find-tracer.ts"
import { recordError } from "./span-error.ts"
import { findTracedStep, type TracedStep } from "./step-span.ts"
import type { TraceAttributes } from "./trace-attributes.ts"
import { encodeFirstContext, encodeTraceContext } from "./trace-context.ts"
import { runInside, tryTracing } from "./tracing-trouble.ts"

/** What a request for a task came to. */
interface Created {
  readonly taskId: string
  readonly created: boolean
}

/**
 * Runs a call that creates one task inside its span. The task's spans become children of that one.
 *
 * The span continues the caller's trace. From a step's handler it begins a trace of its own instead, and both are
 * linked: a task that creates tasks would otherwise grow a trace without an end.
 *
 * @param redact - takes secrets out of an error
 * @param work - is given the context to store with the task; `undefined` without tracing
 */
export async function traceCreateTask<Task extends Created>(
  workflow: WorkflowId,
  redact: Redact,
  work: (traceContext: string | undefined) => Promise<Task>,
): Promise<Task> {
  const tracer = findTracer()
  if (tracer === undefined) return await work(undefined)
  const creation = tryTracing(() => {
    const creator = findTracedStep()
    const begun = creationsOf(tracer, workflow, creator, creator?.span)()
    creator?.span.addLink(linkTo(begun.span))
    return begun
  })
  if (creation === undefined) return await work(undefined)
  return await inside(creation.span, redact, async () => {
    const task = await work(creation.traceContext)
    tellCreated(creation.span, task)
    return task
  })
}

/**
 * Runs a call that creates many tasks inside its span. Each task gets a trace of its own, linked to the call, or to the
 * step that makes it: thousands of tasks in one trace are of no use to anybody.
 *
 * @param redact - takes secrets out of an error
 * @param work - is given a function that makes the context to store with the next task
 */
export async function traceCreateTasks<Task extends Created>(
  { workflow, count }: { readonly workflow: WorkflowId; readonly count: number },
  redact: Redact,
  work: (nextTraceContext: () => string | undefined) => Promise<readonly Task[]>,
): Promise<readonly Task[]> {
  const tracer = findTracer()
  if (tracer === undefined) return await work(() => undefined)
  const begun = tryTracing(() => {
    const creator = findTracedStep()
    const call = tracer.startSpan(`tasker.tasks.create ${workflow.name}`, {
      kind: SpanKind.CLIENT,
      attributes: { ...workflowAttributes(workflow), "tasker.task.count": count } satisfies TraceAttributes,
    })
    return { call, begin: creationsOf(tracer, workflow, creator, creator?.span ?? call) }
  })
  if (begun === undefined) return await work(() => undefined)
  /** By the place of their task. Most are not, under load, and thousands that are kept make work for the collector. */
  const recorded = new Map<number, Span>()
  let asked = 0
  try {
    return await inside(begun.call, redact, async () => {
      const tasks = await work(() => {
        const creation = tryTracing(begun.begin)
        if (creation?.isRecorded === true) recorded.set(asked, creation.span)
        asked++
        return creation?.traceContext
      })
      for (const [index, span] of recorded) tellCreated(span, tasks[index])
      return tasks
    })
  } catch (error) {
    for (const span of recorded.values()) tellFailure(span, redact, error)
    throw error
  } finally {
    for (const span of recorded.values()) tryTracing(() => span.end())
  }
}

/** The span of a task that is created; ended already when it is not recorded. */
interface Creation {
  readonly span: Span
  readonly isRecorded: boolean
  /** What to store with the task. */
  readonly traceContext: string
}

/**
 * Makes the spans of tasks that are created: in the trace that is active, or, when there is something to link to, each
 * in a trace of its own.
 */
function creationsOf(
  tracer: Tracer,
  workflow: WorkflowId,
  creator: TracedStep | undefined,
  linked: Span | undefined,
): () => Creation {
  const parent: TraceAttributes =
    creator === undefined ? {} : { "tasker.parent.task.id": creator.taskId, "tasker.parent.step.name": creator.step }
  const options = {
    kind: SpanKind.PRODUCER,
    links: linked === undefined ? [] : [linkTo(linked)],
    attributes: { ...workflowAttributes(workflow), ...parent },
  }
  const begun = linked === undefined ? context.active() : trace.deleteSpan(context.active())
  const encode = trace.getSpanContext(begun) === undefined ? encodeFirstContext : encodeTraceContext
  const name = `tasker.task.create ${workflow.name}`
  return () => {
    const span = tracer.startSpan(name, options, begun)
    const isRecorded = span.isRecording()
    if (!isRecorded) span.end()
    return { span, isRecorded, traceContext: encode(span.spanContext()) }
  }
}

function tellCreated(span: Span, task: Created | undefined): void {
  if (task === undefined) return
  const { taskId, created } = task
  tryTracing(() => {
    if (!span.isRecording()) return
    span.setAttributes({ "tasker.task.id": taskId, "tasker.task.created": created } satisfies TraceAttributes)
  })
}

async function inside<T>(span: Span, redact: Redact, work: () => Promise<T>): Promise<T> {
  try {
    const outside = tryTracing(() => context.active()) ?? ROOT_CONTEXT
    return await runInside(trace.setSpan(outside, span), work)
  } catch (error) {
    tellFailure(span, redact, error)
    throw error
  } finally {
    tryTracing(() => span.end())
  }
}

function tellFailure(span: Span, redact: Redact, error: unknown): void {
  tryTracing(() => {
    if (span.isRecording()) recordError(span, eventError(error, redact))
  })
}

function workflowAttributes({ namespace, name, version }: WorkflowId): TraceAttributes {
  return {
    "tasker.workflow.namespace": namespace,
    "tasker.workflow.name": name,
    "tasker.workflow.version": version,
  }
}

function linkTo(span: Span): Link {
  return { context: span.spanContext() }
}
