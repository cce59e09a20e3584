import {
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api"
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace-base"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createRedactor } from "../core/redact.ts"
import {
  type AttemptFacts,
  type AttemptFate,
  findTracedStep,
  silentStep,
  startStepSpan,
  type StepSpan,
} from "./step-span.ts"
import { attributeProblems, startTestTracing, type TestTracing } from "./test-tracing.ts"

const PARENT = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" }

const ATTEMPT: AttemptFacts = {
  taskId: "0190a000-0000-7000-8000-000000000001",
  namespace: "shop",
  workflow: "order",
  version: "1.0.0",
  correlationId: "c_1",
  step: "charge",
  attempt: 2,
  maxAttempts: 3,
  queue: "shop",
  workerId: 7,
  waitMs: 12.3,
  traceContext: `00-${PARENT.traceId}-${PARENT.spanId}-01`,
}

const ERROR = { name: "CardError", code: "E_CARD", message: "card refused", stack: "CardError: card refused\n  at x" }

const redact = createRedactor({ keys: ["iban"] })

let tracing: TestTracing

beforeEach(() => {
  tracing = startTestTracing()
})

afterEach(() => {
  tracing.stop()
})

function started(attempt: Partial<AttemptFacts> = {}): StepSpan {
  const span = startStepSpan({ ...ATTEMPT, ...attempt }, redact)
  if (span === undefined) throw new Error("there is an SDK, and no span")
  return span
}

function ended(fate: AttemptFate) {
  const span = started()
  span.stop()
  span.end(fate)
  return tracing.span("tasker.step charge")
}

const ms = ([seconds, nanos]: readonly [number, number]): number => seconds * 1e3 + nanos / 1e6

describe("startStepSpan", () => {
  test("is a consumer below the span that created the task, whoever's context the worker was started in", () => {
    const foreign = trace.getTracer("test").startSpan("foreign")
    context.with(trace.setSpan(ROOT_CONTEXT, foreign), () => started()).end({ outcome: "complete" })
    const span = tracing.span("tasker.step charge")
    expect(span.kind).toBe(SpanKind.CONSUMER)
    expect(span.parentSpanContext).toMatchObject({ ...PARENT, isRemote: true })
    expect(span.spanContext().traceId).toBe(PARENT.traceId)
  })

  test("says what it is about, by names and types of the catalogue", () => {
    const span = ended({ outcome: "complete" })
    expect(span.attributes).toEqual({
      "tasker.workflow.namespace": "shop",
      "tasker.workflow.name": "order",
      "tasker.workflow.version": "1.0.0",
      "tasker.task.id": ATTEMPT.taskId,
      "tasker.task.correlation_id": "c_1",
      "tasker.step.name": "charge",
      "tasker.step.attempt": 2,
      "tasker.step.max_attempts": 3,
      "tasker.step.queue": "shop",
      "tasker.step.wait_ms": 12,
      "tasker.worker.id": 7,
      "tasker.step.outcome": "complete",
    })
    expect(attributeProblems(span)).toEqual([])
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
  })

  test("has no secret that stands in the correlation id", () => {
    started({ correlationId: "of bob, password=hunter2" }).end({ outcome: "complete" })
    const { attributes } = tracing.span("tasker.step charge")
    expect(attributes["tasker.task.correlation_id"]).toBe("of bob, password=[REDACTED]")
  })

  test("without a creator's context the trace is the task's own", () => {
    for (const step of ["one", "two"]) started({ step, traceContext: null }).end({ outcome: "complete" })
    const traces = tracing.spans().map((span) => [span.spanContext().traceId, span.parentSpanContext?.spanId])
    expect(traces).toEqual(Array(2).fill([ATTEMPT.taskId.replaceAll("-", ""), "8000000000000001"]))
  })

  test("is nothing without an SDK, and something as soon as there is one", () => {
    tracing.stop()
    expect(startStepSpan(ATTEMPT, redact)).toBeUndefined()
    expect(findTracedStep()).toBeUndefined()
    tracing = startTestTracing()
    started().end({ outcome: "complete" })
    expect(tracing.spans()).toHaveLength(1)
  })
})

describe("run", () => {
  test("what the handler traces and sends nests under the span, after awaits too", async () => {
    const span = started()
    const headers: Record<string, string> = {}
    const result = await span.run(async () => {
      await new Promise(setImmediate)
      trace.getTracer("test").startSpan("inner").end()
      propagation.inject(context.active(), headers)
      expect(findTracedStep()).toMatchObject({ taskId: ATTEMPT.taskId, step: "charge" })
      return 7
    })
    span.end({ outcome: "complete" })
    const { spanId, traceId } = tracing.span("tasker.step charge").spanContext()
    expect(result).toBe(7)
    expect(tracing.span("inner").parentSpanContext).toMatchObject({ traceId, spanId })
    expect(headers).toEqual({ traceparent: `00-${traceId}-${spanId}-01` })
    expect(findTracedStep()).toBeUndefined()
  })

  test("a span that the host's sampler leaves out is none", () => {
    tracing.stop()
    tracing = startTestTracing(new AlwaysOffSampler())
    started().end({ outcome: "complete" })
    expect(tracing.spans()).toEqual([])
  })

  test("the worker's own context is left alone", () => {
    const key = createContextKey("test")
    context.with(ROOT_CONTEXT.setValue(key, 1), () => {
      started().run(() => {
        expect(context.active().getValue(key)).toBeUndefined()
      })
    })
  })
})

describe("silentStep", () => {
  const stored = `00-${PARENT.traceId}-${PARENT.spanId}-00`

  test("records nothing, and keeps the task's trace in whatever the handler traces and sends", async () => {
    const step = silentStep(ATTEMPT.taskId, "charge", stored, redact)
    const headers: Record<string, string> = {}
    const key = createContextKey("test")
    await step.run(async () => {
      await new Promise(setImmediate)
      trace.getTracer("test").startSpan("inner").end()
      propagation.inject(context.active(), headers)
      expect(findTracedStep()).toMatchObject({ taskId: ATTEMPT.taskId, step: "charge" })
      context.with(context.active().setValue(key, 1), () => {
        expect(context.active().getValue(key)).toBe(1)
        expect(context.active().deleteValue(key).getValue(key)).toBeUndefined()
        expect(trace.getSpanContext(context.active())).toMatchObject(PARENT)
      })
      expect(trace.getSpan(trace.deleteSpan(context.active()))).toBeUndefined()
    })
    step.stop()
    step.end({ outcome: "complete" })
    expect(step.ids()).toBeUndefined()
    expect(tracing.spans()).toEqual([])
    expect(headers).toEqual({ traceparent: stored })
  })
})

describe("end", () => {
  test("the span lasts until the handler has ended, however late it is told what became of it", async () => {
    const before = performance.now()
    const span = started()
    span.stop()
    const ranMs = performance.now() - before
    await new Promise((resolve) => setTimeout(resolve, 5))
    span.stop()
    span.end({ outcome: "complete" })
    const { duration, ended: isEnded } = tracing.span("tasker.step charge")
    expect(isEnded).toBe(true)
    expect(ms(duration)).toBeGreaterThan(0)
    expect(ms(duration)).toBeLessThan(ranMs + 1)
  })

  test("a failure is recorded when it happened, with what was thrown", () => {
    const span = ended({ outcome: "error", error: ERROR })
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: "card refused" })
    expect(span.attributes).toMatchObject({ "error.type": "E_CARD", "tasker.step.outcome": "error" })
    expect(span.events).toMatchObject([
      {
        name: "exception",
        time: span.endTime,
        attributes: {
          "exception.type": "CardError",
          "exception.message": "card refused",
          "exception.stacktrace": ERROR.stack,
        },
      },
    ])
  })

  test("a wait for the next attempt is told, with how long and until when", () => {
    const before = Date.now()
    const span = ended({ outcome: "waiting_for_retry", error: { ...ERROR, code: null }, delayMs: 1_500.4 })
    const retry = span.events.find(({ name }) => name === "tasker.retry_scheduled")
    const due = new Date(String(retry?.attributes?.["tasker.retry.due_at"])).getTime()
    expect(retry?.attributes?.["tasker.retry.delay_ms"]).toBe(1_500)
    expect(due).toBeGreaterThanOrEqual(before + 1_500)
    expect(due).toBeLessThanOrEqual(Date.now() + 1_501)
    expect(span.attributes["error.type"]).toBe("CardError")
    expect(span.status.code).toBe(SpanStatusCode.ERROR)
    expect(attributeProblems(span)).toEqual([])
  })

  test("an outcome that was refused is marked, at the time when that was known", async () => {
    const span = started()
    span.stop()
    await new Promise((resolve) => setTimeout(resolve, 5))
    span.end({ outcome: "fenced" })
    const { attributes, events, status, endTime } = tracing.span("tasker.step charge")
    expect(attributes["tasker.step.outcome"]).toBe("fenced")
    expect(status).toEqual({
      code: SpanStatusCode.ERROR,
      message: "the step was cancelled, or given to another worker",
    })
    expect(events).toMatchObject([{ name: "tasker.step_fenced" }])
    expect(ms(events[0]!.time)).toBeGreaterThan(ms(endTime) + 4)
  })

  test("an attempt that was aborted says why, and is no error", () => {
    const span = ended({ outcome: "aborted", reason: "the task was cancelled" })
    expect(span.events).toMatchObject([
      { name: "tasker.step_aborted", attributes: { "tasker.abort.reason": "the task was cancelled" } },
    ])
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
    expect(attributeProblems(span)).toEqual([])
  })

  test("only the first counts", () => {
    const span = started()
    span.end({ outcome: "aborted", reason: "stopped" })
    span.end({ outcome: "complete" })
    expect(tracing.span("tasker.step charge").attributes["tasker.step.outcome"]).toBe("aborted")
    expect(tracing.openCount()).toBe(0)
  })
})
