import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api"
import type { TaskFacts } from "../core/events/event-payloads.ts"
import type { Redact } from "../core/redact.ts"
import type { StepState } from "../core/state.ts"
import { findTracer } from "./find-tracer.ts"
import { recordError, type SpanError } from "./span-error.ts"
import { shownCorrelationId } from "./shown-correlation-id.ts"
import type { TraceAttributes } from "./trace-attributes.ts"
import { taskTraceContext } from "./trace-context.ts"
import { runInside, tellTracingTrouble, tryTracing } from "./tracing-trouble.ts"

/** Which attempt a span is about, and what the task's creator left for it. */
export interface AttemptFacts extends TaskFacts {
  readonly step: string
  readonly attempt: number
  readonly maxAttempts: number
  readonly queue: string
  readonly workerId: number
  /** How long the step was due before it was claimed, in milliseconds. */
  readonly waitMs: number
  readonly traceContext: string | null
}

/** What became of an attempt. */
export interface AttemptFate {
  readonly outcome: StepState | "aborted" | "fenced" | "unrecorded"
  /** What the handler threw, or what was made of it. */
  readonly error?: SpanError | undefined
  /** For a step that waits for its next attempt: how long. */
  readonly delayMs?: number | undefined
  /** Why it was aborted. */
  readonly reason?: string | undefined
}

/** As the log data model of OpenTelemetry names them in other formats than its own. */
export interface LogIds {
  readonly trace_id: string
  readonly span_id: string
}

/** The span of one attempt of a step. */
export interface StepSpan {
  /** Whether anybody is told; false too once it has ended. */
  readonly isRecorded: boolean
  /** The names by which log lines are found from their span; undefined when it is not recorded. */
  ids(): LogIds | undefined
  /** Calls the step's handler: what it traces nests under the span. */
  run<T>(handler: () => T): T
  /** The handler has ended, or is not waited for any more: so has the span, whatever is told of it later. */
  stop(): void
  /** Tells what became of the attempt, and lets go of the span. Later calls change nothing. */
  end(fate: AttemptFate): void
}

/** The step whose handler runs, for those that it calls. */
export interface TracedStep {
  readonly taskId: string
  readonly step: string
  readonly span: Span
  /** Takes secrets out of what is recorded: below a step that is not, a sampler may still record its calls. */
  readonly redact: Redact
}

const TRACED_STEP = createContextKey("tasker.step")

/** The step whose handler this is called from; `undefined` outside of handlers, and without tracing. */
export function findTracedStep(): TracedStep | undefined {
  // Only this module sets it.
  return context.active().getValue(TRACED_STEP) as TracedStep | undefined
}

/**
 * Starts the span of an attempt, a child of what created the task; `undefined` without tracing.
 *
 * @param redact - takes secrets out of what users wrote; errors come without
 */
export function startStepSpan(attempt: AttemptFacts, redact: Redact): StepSpan | undefined {
  const tracer = findTracer()
  if (tracer === undefined) return undefined
  const parent = taskTraceContext(attempt.taskId, attempt.traceContext)
  const span = tracer.startSpan(
    `tasker.step ${attempt.step}`,
    { kind: SpanKind.CONSUMER, attributes: stepAttributes(attempt, redact) },
    // Not the context that the worker was started in: that belongs to whoever started it.
    trace.setSpanContext(ROOT_CONTEXT, parent),
  )
  return stepSpan(span, attempt, redact)
}

/** One literal: with a spread at its start it takes Node 20 a hundred times as long. */
function stepAttributes(attempt: AttemptFacts, redact: Redact): Attributes {
  return {
    "tasker.workflow.namespace": attempt.namespace,
    "tasker.workflow.name": attempt.workflow,
    "tasker.workflow.version": attempt.version,
    "tasker.task.id": attempt.taskId,
    "tasker.task.correlation_id": shownCorrelationId(attempt, redact),
    "tasker.step.name": attempt.step,
    "tasker.step.attempt": attempt.attempt,
    "tasker.step.max_attempts": attempt.maxAttempts,
    "tasker.step.queue": attempt.queue,
    "tasker.step.wait_ms": Math.round(attempt.waitMs),
    "tasker.worker.id": attempt.workerId,
  } satisfies TraceAttributes
}

/**
 * Stands for the span of an attempt where whoever created the task decided that its trace is not recorded: what the
 * handler traces and sends says so too.
 *
 * A sampler is not asked again. Under load most steps are of this kind: to ask for each, and to make the context that
 * its handler may ask for, took half as much CPU time as the worker needs for a step, most of it to collect garbage.
 */
export function silentStep(taskId: string, step: string, traceContext: string, redact: Redact): StepSpan {
  return new SilentStep(taskId, step, traceContext, redact)
}

class SilentStep implements StepSpan, Context {
  readonly #taskId: string
  readonly #step: string
  readonly #traceContext: string
  readonly #redact: Redact
  #inside: Context | undefined

  constructor(taskId: string, step: string, traceContext: string, redact: Redact) {
    this.#taskId = taskId
    this.#step = step
    this.#traceContext = traceContext
    this.#redact = redact
  }

  run<T>(handler: () => T): T {
    return runInside(this, handler)
  }

  get isRecorded(): boolean {
    return false
  }

  ids(): undefined {}

  stop(): void {}

  end(): void {}

  getValue(key: symbol): unknown {
    return this.#context().getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#context().setValue(key, value)
  }

  deleteValue(key: symbol): Context {
    return this.#context().deleteValue(key)
  }

  #context(): Context {
    if (this.#inside === undefined) {
      const parent = taskTraceContext(this.#taskId, this.#traceContext)
      const span = trace.wrapSpanContext(parent)
      this.#inside = contextOf({ taskId: this.#taskId, step: this.#step, span, redact: this.#redact })
    }
    return this.#inside
  }
}

function contextOf(step: TracedStep): Context {
  return trace.setSpan(ROOT_CONTEXT, step.span).setValue(TRACED_STEP, step)
}

function stepSpan(span: Span, { taskId, step }: AttemptFacts, redact: Redact): StepSpan {
  let stoppedAt: number | undefined
  const inside = contextOf({ taskId, step, span, redact })
  return {
    get isRecorded() {
      return tryTracing(() => span.isRecording()) ?? false
    },
    ids: () =>
      tryTracing(() => {
        const { traceId, spanId } = span.spanContext()
        return span.isRecording() ? { trace_id: traceId, span_id: spanId } : undefined
      }),
    run: (handler) => runInside(inside, handler),
    stop() {
      stoppedAt ??= performance.now()
    },
    end(fate) {
      try {
        if (!span.isRecording()) return
        const endedAt = stoppedAt ?? performance.now()
        try {
          tellFate(span, fate, endedAt)
        } finally {
          span.end(endedAt)
        }
      } catch (error) {
        tellTracingTrouble(error)
      }
    },
  }
}

/** @param endedAt - by `performance.now()`, which the API takes as a time */
function tellFate(span: Span, { outcome, error, delayMs, reason }: AttemptFate, endedAt: number): void {
  span.setAttribute("tasker.step.outcome" satisfies keyof TraceAttributes, outcome)
  if (error !== undefined) recordError(span, error, endedAt)
  if (outcome === "waiting_for_retry" && delayMs !== undefined) {
    const dueAt = new Date(Date.now() + delayMs).toISOString()
    const retry: TraceAttributes = { "tasker.retry.delay_ms": Math.round(delayMs), "tasker.retry.due_at": dueAt }
    span.addEvent("tasker.retry_scheduled", retry, endedAt)
  }
  if (outcome === "aborted") {
    span.addEvent("tasker.step_aborted", { "tasker.abort.reason": reason ?? "" } satisfies TraceAttributes, endedAt)
  }
  // When that was known: after the span's end.
  if (outcome === "fenced") {
    span.addEvent("tasker.step_fenced")
    span.setStatus({ code: SpanStatusCode.ERROR, message: "the step was cancelled, or given to another worker" })
  }
}
