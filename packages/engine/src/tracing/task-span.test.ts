import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { AlwaysOnSampler } from "@opentelemetry/sdk-trace-base"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { EndedTaskFacts } from "../core/events/change-watch.ts"
import { traceTask } from "./task-span.ts"
import { createRedactor } from "../core/redact.ts"
import { attributeProblems, startTestTracing, type TestTracing } from "./test-tracing.ts"

const TASK: EndedTaskFacts = {
  taskId: "0190a000-0000-7000-8000-000000000001",
  namespace: "shop",
  workflow: "order",
  version: "1.0.0",
  correlationId: "c_1",
  outcome: "complete",
  createdAt: new Date(1_000_000_000_123),
  startedAt: new Date(1_000_000_000_223),
  finishedAt: new Date(1_000_000_005_323),
  traceContext: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  workerId: 7,
}

const redact = createRedactor()

let tracing: TestTracing

beforeEach(() => {
  tracing = startTestTracing()
})

afterEach(() => {
  tracing.stop()
})

describe("traceTask", () => {
  test("lasts from the task's creation to its end, below the span that created it", () => {
    traceTask(TASK, redact)
    const span = tracing.span("tasker.task order")
    expect(span).toMatchObject({
      kind: SpanKind.INTERNAL,
      startTime: [1_000_000_000, 123_000_000],
      endTime: [1_000_000_005, 323_000_000],
      status: { code: SpanStatusCode.UNSET },
      parentSpanContext: { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" },
      attributes: {
        "tasker.task.id": TASK.taskId,
        "tasker.task.correlation_id": "c_1",
        "tasker.task.outcome": "complete",
        "tasker.task.wait_ms": 100,
        "tasker.worker.id": 7,
      },
    })
    expect(attributeProblems(span)).toEqual([])
  })

  test("a failed task is an error; one that was cancelled or resolved is none", () => {
    for (const outcome of ["error", "cancelled", "resolved_manually"] as const) traceTask({ ...TASK, outcome }, redact)
    expect(tracing.spans().map(({ status, attributes }) => [attributes["tasker.task.outcome"], status.code])).toEqual([
      ["error", SpanStatusCode.ERROR],
      ["cancelled", SpanStatusCode.UNSET],
      ["resolved_manually", SpanStatusCode.UNSET],
    ])
  })

  test("has no secret that stands in the correlation id, or that the user says it is", () => {
    traceTask({ ...TASK, correlationId: "password=hunter2" }, redact)
    traceTask(TASK, createRedactor({ keys: ["correlationId"] }))
    const shown = tracing.spans().map(({ attributes }) => attributes["tasker.task.correlation_id"])
    expect(shown).toEqual(["password=[REDACTED]", "[REDACTED]"])
  })

  test("says nothing of what there was not", () => {
    traceTask({ ...TASK, startedAt: null, workerId: null }, redact)
    const { attributes } = tracing.span("tasker.task order")
    expect(attributes).not.toHaveProperty("tasker.task.wait_ms")
    expect(attributes).not.toHaveProperty("tasker.worker.id")
  })

  test("a sampler is not asked about a trace that is not recorded", () => {
    tracing.stop()
    tracing = startTestTracing(new AlwaysOnSampler())
    traceTask({ ...TASK, traceContext: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00" }, redact)
    expect(tracing.spans()).toEqual([])
    traceTask(TASK, redact)
    expect(tracing.spans()).toHaveLength(1)
  })

  test("is nothing without an SDK", () => {
    tracing.stop()
    traceTask(TASK, redact)
    expect(tracing.spans()).toEqual([])
  })
})
