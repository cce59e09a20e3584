import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api"
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace-base"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createRedactor } from "../core/redact.ts"
import { traceCreateTask, traceCreateTasks } from "./creation-spans.ts"
import { startStepSpan } from "./step-span.ts"
import { attributeProblems, idsOf, startTestTracing, type TestTracing } from "./test-tracing.ts"
import { decodeTraceContext } from "./trace-context.ts"

const redact = createRedactor()
const workflow = { namespace: "shop", name: "order", version: "1.0.0" }
const taskId = "0190a000-0000-7000-8000-000000000001"
const created = { taskId, created: true }

let tracing: TestTracing

beforeEach(() => {
  tracing = startTestTracing()
})

afterEach(() => {
  expect(tracing.openCount()).toBe(0)
  tracing.stop()
})

/** Runs `work` as the handler of a step, in a trace of its own. */
async function inStep(work: () => Promise<unknown>): Promise<void> {
  const attempt = {
    taskId: "parent",
    namespace: "shop",
    workflow: "cart",
    version: "1.0.0",
    correlationId: "c",
    step: "order",
    attempt: 1,
    maxAttempts: 1,
    queue: "shop",
    workerId: 1,
    waitMs: 0,
    traceContext: null,
  }
  const span = startStepSpan(attempt, redact)
  await span?.run(work)
  span?.end({ outcome: "complete" })
}

const childrenOf = (name: string): readonly string[] => {
  const { spanId } = tracing.span(name).spanContext()
  return tracing.spans().flatMap((span) => (span.parentSpanContext?.spanId === spanId ? [span.name] : []))
}

describe("traceCreateTask", () => {
  test("is a producer in the caller's trace, and its context is what is stored", async () => {
    let stored: string | undefined
    await trace.getTracer("test").startActiveSpan("request", async (request) => {
      const task = await traceCreateTask(workflow, redact, async (traceContext) => {
        stored = traceContext
        trace.getTracer("test").startSpan("query").end()
        return created
      })
      expect(task).toBe(created)
      request.end()
    })
    const span = tracing.span("tasker.task.create order")
    expect(span.kind).toBe(SpanKind.PRODUCER)
    expect(span.attributes).toEqual({
      "tasker.workflow.namespace": "shop",
      "tasker.workflow.name": "order",
      "tasker.workflow.version": "1.0.0",
      "tasker.task.id": taskId,
      "tasker.task.created": true,
    })
    expect(attributeProblems(span)).toEqual([])
    expect(childrenOf("request")).toEqual(["tasker.task.create order"])
    expect(childrenOf("tasker.task.create order")).toEqual(["query"])
    expect(decodeTraceContext(stored ?? "")).toMatchObject(idsOf(span.spanContext()))
    expect(span.links).toEqual([])
  })

  test("when it is not recorded, its context is stored in a trace of the caller's, and left out in one of its own", async () => {
    tracing.stop()
    tracing = startTestTracing(new AlwaysOffSampler())
    const stored: (string | undefined)[] = []
    const create = () =>
      traceCreateTask(workflow, redact, async (traceContext) => {
        stored.push(traceContext)
        return created
      })
    const requestIds = await trace.getTracer("test").startActiveSpan("request", async (request) => {
      await create()
      return idsOf(request.spanContext())
    })
    await create()
    await traceCreateTasks({ workflow, count: 1 }, redact, async (next) => {
      stored.push(next())
      return [created]
    })
    expect(decodeTraceContext(stored[0] ?? "")).toMatchObject({ traceId: requestIds.traceId, traceFlags: 0 })
    expect(stored.slice(1)).toEqual(["00", "00"])
  })

  test("from a step's handler it begins a trace, and both are linked", async () => {
    await inStep(() => traceCreateTask(workflow, redact, async () => created))
    const [step, span] = [tracing.span("tasker.step order"), tracing.span("tasker.task.create order")]
    expect(span.parentSpanContext).toBeUndefined()
    expect(span.spanContext().traceId).not.toBe(step.spanContext().traceId)
    expect(span.links.map((link) => idsOf(link.context))).toEqual([idsOf(step.spanContext())])
    expect(step.links.map((link) => idsOf(link.context))).toEqual([idsOf(span.spanContext())])
    expect(span.attributes).toMatchObject({ "tasker.parent.task.id": "parent", "tasker.parent.step.name": "order" })
    expect(attributeProblems(span)).toEqual([])
  })

  test("a call that fails says so without secrets, and throws what it threw", async () => {
    const failure = new TypeError("no input, password=hunter2")
    await expect(traceCreateTask(workflow, redact, async () => Promise.reject(failure))).rejects.toBe(failure)
    const span = tracing.span("tasker.task.create order")
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: "no input, password=[REDACTED]" })
    expect(span.events).toMatchObject([{ name: "exception", attributes: { "exception.type": "TypeError" } }])
  })

  test("without an SDK there is no context to store", async () => {
    tracing.stop()
    expect(await traceCreateTask(workflow, redact, async (stored) => ({ ...created, stored }))).toEqual(created)
    expect(
      await traceCreateTasks({ workflow, count: 1 }, redact, async (next) => [{ ...created, stored: next() }]),
    ).toEqual([created])
    tracing = startTestTracing()
  })
})

describe("traceCreateTasks", () => {
  const createTwo = (stored: (string | undefined)[] = []) =>
    traceCreateTasks({ workflow, count: 2 }, redact, async (next) => {
      stored.push(next(), next())
      return [created, { taskId: "b", created: false }]
    })

  test("is a call in the caller's trace, and each task has a trace of its own, linked to the call", async () => {
    const stored: (string | undefined)[] = []
    await trace.getTracer("test").startActiveSpan("request", async (request) => {
      await createTwo(stored)
      request.end()
    })
    const call = tracing.span("tasker.tasks.create order")
    expect(call.kind).toBe(SpanKind.CLIENT)
    expect(call.attributes["tasker.task.count"]).toBe(2)
    expect(childrenOf("request")).toEqual(["tasker.tasks.create order"])
    const spans = tracing.spans().filter(({ name }) => name === "tasker.task.create order")
    expect(spans.map(({ attributes }) => [attributes["tasker.task.id"], attributes["tasker.task.created"]])).toEqual([
      [taskId, true],
      ["b", false],
    ])
    expect(new Set([call, ...spans].map((span) => span.spanContext().traceId)).size).toBe(3)
    for (const [index, span] of spans.entries()) {
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.kind).toBe(SpanKind.PRODUCER)
      expect(span.links.map((link) => idsOf(link.context))).toEqual([idsOf(call.spanContext())])
      expect(decodeTraceContext(stored[index] ?? "")).toMatchObject(idsOf(span.spanContext()))
    }
    expect(tracing.spans().flatMap(attributeProblems)).toEqual([])
  })

  test("from a step's handler the call is part of the step, and the tasks are linked to the step", async () => {
    await inStep(() => createTwo())
    const step = tracing.span("tasker.step order")
    expect(childrenOf("tasker.step order")).toEqual(["tasker.tasks.create order"])
    const spans = tracing.spans().filter(({ name }) => name === "tasker.task.create order")
    for (const span of spans) {
      expect(span.links.map((link) => idsOf(link.context))).toEqual([idsOf(step.spanContext())])
      expect(span.attributes["tasker.parent.task.id"]).toBe("parent")
    }
  })

  test("a call that fails ends all that it began", async () => {
    const call = traceCreateTasks({ workflow, count: 2 }, redact, async (next) => {
      next()
      throw new Error(`refused in ${trace.getSpan(context.active()) === undefined ? "no" : "a"} span`)
    })
    await expect(call).rejects.toThrow("refused in a span")
    expect(tracing.spans().map(({ name, status }) => [name, status.message])).toEqual([
      ["tasker.tasks.create order", "refused in a span"],
      ["tasker.task.create order", "refused in a span"],
    ])
  })
})
