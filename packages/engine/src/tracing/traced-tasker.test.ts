import { once } from "node:events"
import { SpanStatusCode, trace } from "@opentelemetry/api"
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import { PermanentError } from "../core/error.ts"
import { silentLogger } from "../core/logger.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { createTasker, type Tasker, type TaskerOptions } from "../tasker.ts"
import { createGate, runTask, untilEnd, untilStep } from "../testing.ts"
import { attributeProblems, idsOf, startTestTracing, type TestTracing } from "./test-tracing.ts"

const RETRY_SOON = { maxAttempts: 2, backoff: { baseMs: 5, capMs: 5, jitter: 0 } } as const

describe.each(testDatabases(migrate))("the spans of a Tasker on $kind", ({ kind, open }) => {
  let opened: Awaited<ReturnType<typeof open>>
  let tracing: TestTracing
  const taskers: Tasker[] = []

  beforeAll(async () => {
    opened = await open()
  })
  beforeEach(() => {
    tracing = startTestTracing()
  })
  afterEach(async () => {
    await closeAll()
    expect(tracing.spans().flatMap(attributeProblems)).toEqual([])
    expect(tracing.openCount()).toBe(0)
    tracing.stop()
  })
  afterAll(async () => await opened.close())

  async function start(workflows: TaskerOptions["workflows"], options: TaskerOptions = {}): Promise<Tasker> {
    const tasker = await createTasker({ url: opened.url, logger: silentLogger, workflows, ...options })
    taskers.push(tasker)
    return tasker
  }

  /** All spans that there will be have ended then. */
  async function closeAll(): Promise<void> {
    await Promise.all(taskers.splice(0).map((tasker) => tasker.close({ timeoutMs: 100 })))
  }

  const outcomes = (): readonly string[] =>
    tracing.spans().flatMap(({ name, attributes }) => {
      const outcome = attributes["tasker.step.outcome"] ?? attributes["tasker.task.outcome"]
      return outcome === undefined ? [] : [`${name}: ${String(outcome)}`]
    })

  it("a task is one trace: its steps and itself, below the span that created it", async () => {
    const workflow = defineWorkflow<{ readonly n: number }>({ name: "linear", version: "1.0.0", namespace: "shop" })
      .step("one", { handler: ({ input }) => input.n })
      .step("two", { dependsOn: ["one"], maxAttempts: 5, handler: ({ results }) => results.one + 1 })
    const tasker = await start([workflow])
    const { workerId } = await tasker.startWorker()
    const { taskId } = await runTask(tasker, workflow, { n: 1 }, { correlationId: "c_1" })
    const { createdAt, startedAt, finishedAt } = await tasker.getTask(taskId)
    await closeAll()
    const creation = tracing.span("tasker.task.create linear")
    const [one, two, task] = ["tasker.step one", "tasker.step two", "tasker.task linear"].map((name) =>
      tracing.span(name),
    )
    for (const span of [one, two, task]) {
      expect(span?.parentSpanContext).toMatchObject(idsOf(creation.spanContext()))
      expect(span?.attributes).toMatchObject({ "tasker.task.id": taskId, "tasker.task.correlation_id": "c_1" })
    }
    expect(two?.attributes).toMatchObject({
      "tasker.workflow.namespace": "shop",
      "tasker.step.attempt": 1,
      "tasker.step.max_attempts": 5,
      "tasker.step.queue": "shop",
      "tasker.worker.id": workerId,
      "tasker.step.outcome": "complete",
    })
    expect(ms(two?.startTime)).toBeGreaterThanOrEqual(ms(one?.endTime) - 1)
    expect(ms(task?.startTime)).toBe(createdAt.getTime())
    // The database's microseconds are cut off at different places.
    expect(Math.abs(ms(task?.endTime) - Number(finishedAt?.getTime()))).toBeLessThanOrEqual(1)
    expect(task?.attributes["tasker.task.wait_ms"]).toBe(Number(startedAt?.getTime()) - createdAt.getTime())
    expect(tracing.spans()).toHaveLength(4)
  })

  it("attempts are siblings; a failure says why, and how long the next one waits", async () => {
    const workflow = defineWorkflow({ name: "retrying", version: "1.0.0" }).step("flaky", {
      ...RETRY_SOON,
      handler: ({ attempt }) => {
        if (attempt === 1) throw Object.assign(new TypeError("not yet"), { code: "BUSY" })
      },
    })
    const tasker = await start([workflow])
    await tasker.startWorker({ pollMs: 50 })
    await runTask(tasker, workflow, null)
    await closeAll()
    const [first, second] = attempts("flaky")
    expect(first).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: "not yet" },
      attributes: { "tasker.step.attempt": 1, "tasker.step.outcome": "waiting_for_retry", "error.type": "BUSY" },
      events: [
        { name: "exception", attributes: { "exception.type": "TypeError", "exception.message": "not yet" } },
        { name: "tasker.retry_scheduled", attributes: { "tasker.retry.delay_ms": 5 } },
      ],
    })
    expect(second).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { "tasker.step.attempt": 2, "tasker.step.outcome": "complete" },
      parentSpanContext: idsOf(first?.parentSpanContext ?? { traceId: "", spanId: "", traceFlags: 0 }),
    })
    expect(ms(second?.startTime)).toBeGreaterThanOrEqual(ms(first?.endTime) + 4)
  })

  const attempts = (step: string): readonly ReadableSpan[] =>
    tracing
      .spans()
      .filter(({ name }) => name === `tasker.step ${step}`)
      .toSorted((a, b) => Number(a.attributes["tasker.step.attempt"]) - Number(b.attributes["tasker.step.attempt"]))

  it("the lines that a handler logs name their span, and a failure is told without its secrets", async () => {
    const lines: Readonly<Record<string, unknown>>[] = []
    const logger = { ...silentLogger, info: (fields: Readonly<Record<string, unknown>>) => void lines.push(fields) }
    const workflow = defineWorkflow({ name: "logging", version: "1.0.0" }).step("only", {
      maxAttempts: 1,
      handler: ({ log }) => {
        log.info({ n: 1 }, "here")
        throw new Error("refused: password=hunter2")
      },
    })
    const tasker = await start([workflow], { logger })
    await tasker.startWorker()
    await runTask(tasker, workflow, null, { correlationId: "password=hunter2" })
    await closeAll()
    const span = tracing.span("tasker.step only")
    const { traceId, spanId } = span.spanContext()
    expect(lines.find(({ n }) => n === 1)).toMatchObject({ trace_id: traceId, span_id: spanId, step: "only" })
    expect(span.status.message).toBe("refused: password=[REDACTED]")
    const all = tracing.spans().map(({ attributes, events, status }) => [attributes, events, status])
    expect(JSON.stringify(all)).not.toContain("hunter2")
    const task = tracing.span("tasker.task logging")
    for (const { attributes } of [span, task]) {
      expect(attributes["tasker.task.correlation_id"]).toBe("password=[REDACTED]")
    }
  })

  it("a step that waits for a worker says how long", async () => {
    const workflow = defineWorkflow({ name: "waiting", version: "1.0.0" }).step("only", { handler: () => 1 })
    const tasker = await start([workflow])
    const handle = await tasker.createTask(workflow, null)
    const createdAt = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const waitedMs = performance.now() - createdAt
    await tasker.startWorker()
    await untilEnd(tasker, handle)
    await closeAll()
    expect(tracing.span("tasker.step only").attributes["tasker.step.wait_ms"]).toBeGreaterThanOrEqual(waitedMs - 2)
    expect(tracing.span("tasker.task waiting").attributes["tasker.task.wait_ms"]).toBeGreaterThanOrEqual(waitedMs - 2)
  })

  it("a timed-out attempt ends at its timeout, whatever the handler does after it", async () => {
    const gate = createGate()
    const workflow = defineWorkflow({ name: "slow", version: "1.0.0" }).step("stuck", {
      maxAttempts: 1,
      timeoutMs: 20,
      handler: async () => await gate.pass(),
    })
    const tasker = await start([workflow])
    await tasker.startWorker()
    await runTask(tasker, workflow, null)
    gate.open()
    await closeAll()
    const span = tracing.span("tasker.step stuck")
    expect(ms(span.duration)).toBeGreaterThanOrEqual(19)
    expect(span.attributes).toMatchObject({ "error.type": "TASKER_STEP_TIMEOUT", "tasker.step.outcome": "error" })
    expect(tracing.span("tasker.task slow").status.code).toBe(SpanStatusCode.ERROR)
    expect(ms(span.endTime)).toBeLessThanOrEqual(ms(tracing.span("tasker.task slow").endTime) + 2)
  })

  it("a step that failed for good, and what operators do about it: each end of the task is told once", async () => {
    const fails = () => Promise.reject(new PermanentError("never"))
    const workflow = defineWorkflow({ name: "failing", version: "1.0.0" })
      .step("optional", { skippable: true, handler: fails })
      .step("broken", { handler: fails })
    const tasker = await start([workflow])
    await tasker.startWorker()
    const [resolved, settled] = [await tasker.createTask(workflow, null), await tasker.createTask(workflow, null)]
    await untilEnd(tasker, resolved)
    await untilEnd(tasker, settled)
    await tasker.resolveTask(resolved, { by: "ann" })
    await tasker.resolveTask(resolved, { by: "bob" })
    await tasker.resolveStep(settled, "broken", { by: "ann" })
    await closeAll()
    expect(outcomes().toSorted()).toEqual([
      "tasker.step broken: error",
      "tasker.step broken: error",
      "tasker.step optional: skipped",
      "tasker.step optional: skipped",
      "tasker.task failing: complete",
      "tasker.task failing: error",
      "tasker.task failing: error",
      "tasker.task failing: resolved_manually",
    ])
    const [last] = tracing.spans().filter((span) => span.attributes["tasker.task.outcome"] === "resolved_manually")
    expect(last?.attributes["tasker.task.id"]).toBe(resolved.taskId)
    expect(last?.attributes).not.toHaveProperty("tasker.worker.id")
    const creations = tracing.spans().filter(({ name }) => name === "tasker.task.create failing")
    expect(last?.parentSpanContext?.spanId).toBe(creations[0]?.spanContext().spanId)
  })

  it("a cancelled task, and the attempt that it interrupts", async () => {
    const gate = createGate()
    let interrupted: Promise<unknown> | undefined
    const workflow = defineWorkflow({ name: "halting", version: "1.0.0" }).step("held", {
      handler: async ({ signal }) => {
        interrupted = once(signal, "abort")
        await gate.pass(signal)
      },
    })
    const tasker = await start([workflow])
    await tasker.startWorker()
    const handle = await tasker.createTask(workflow, null)
    await gate.reached()
    await tasker.cancelTask(handle)
    // Else the worker that stops may hand it back first.
    await interrupted
    await closeAll()
    expect(outcomes().toSorted()).toEqual(["tasker.step held: aborted", "tasker.task halting: cancelled"])
    expect(tracing.span("tasker.step held").events).toMatchObject([
      { name: "tasker.step_aborted", attributes: { "tasker.abort.reason": expect.stringContaining("cancelled") } },
    ])
  })

  it("an attempt that a stopping worker hands back", async () => {
    const gate = createGate()
    const workflow = defineWorkflow({ name: "held", version: "1.0.0" }).step("stuck", {
      handler: async () => await gate.pass(),
    })
    const tasker = await start([workflow])
    const worker = await tasker.startWorker()
    await tasker.createTask(workflow, null)
    await gate.reached()
    await worker.stop({ timeoutMs: 1 })
    expect(outcomes()).toEqual(["tasker.step stuck: aborted"])
    gate.open()
  })

  it("a task without steps ends where it is created", async () => {
    const workflow = defineWorkflow({ name: "empty", version: "1.0.0" })
    const tasker = await start([workflow])
    const { taskId } = await tasker.createTask(workflow, null)
    const task = tracing.span("tasker.task empty")
    expect(task.parentSpanContext).toMatchObject(idsOf(tracing.span("tasker.task.create empty").spanContext()))
    expect(task.attributes).toMatchObject({ "tasker.task.id": taskId, "tasker.task.outcome": "complete" })
  })

  it("a task that a step creates has a trace of its own, and both are linked", async () => {
    const child = defineWorkflow({ name: "child", version: "1.0.0" }).step("work", { handler: () => 1 })
    const parent = defineWorkflow({ name: "parent", version: "1.0.0" }).step("order", {
      handler: async () => (await tasker.createTask(child, null)).taskId,
    })
    const tasker = await start([parent, child])
    await tasker.startWorker()
    const run = await runTask(tasker, parent, null)
    await untilEnd(tasker, { taskId: String(run.results.order), created: true, workflow: child })
    await closeAll()
    const [order, creation] = [tracing.span("tasker.step order"), tracing.span("tasker.task.create child")]
    expect(creation.links.map((link) => idsOf(link.context))).toEqual([idsOf(order.spanContext())])
    expect(order.links.map((link) => idsOf(link.context))).toEqual([idsOf(creation.spanContext())])
    expect(creation.attributes).toMatchObject({
      "tasker.parent.task.id": run.taskId,
      "tasker.parent.step.name": "order",
    })
    const traceOf = (name: string) => tracing.span(name).spanContext().traceId
    expect(traceOf("tasker.step work")).toBe(traceOf("tasker.task child"))
    expect(traceOf("tasker.step work")).not.toBe(traceOf("tasker.step order"))
  })

  it("a transactional step's span ends with its handler, and a task of many is a trace each", async () => {
    const workflow = defineWorkflow({ name: "exact", version: "1.0.0" }).step("pay", {
      transactional: true,
      handler: async ({ tx }) => {
        trace.getTracer("test").startSpan("inner").end()
        return (await tx.query("select 1 as one")).length
      },
    })
    const tasker = await start([workflow])
    await tasker.startWorker()
    const handles = await tasker.createTasks(workflow, [{ input: null }, { input: null }])
    for (const handle of handles) await untilEnd(tasker, handle)
    await closeAll()
    expect(outcomes().toSorted()).toEqual([
      "tasker.step pay: complete",
      "tasker.step pay: complete",
      "tasker.task exact: complete",
      "tasker.task exact: complete",
    ])
    const steps = attempts("pay")
    expect(new Set(steps.map((span) => span.spanContext().traceId)).size).toBe(2)
    const inner = tracing.spans().filter(({ name }) => name === "inner")
    expect(new Set(inner.map((span) => span.parentSpanContext?.spanId))).toEqual(
      new Set(steps.map((span) => span.spanContext().spanId)),
    )
  })

  it("a task that was created without tracing is one trace all the same", async () => {
    tracing.stop()
    const workflow = defineWorkflow({ name: "untraced", version: "1.0.0" })
      .step("one", { handler: () => 1 })
      .step("two", { dependsOn: ["one"], handler: () => 2 })
    const tasker = await start([workflow])
    const handle = await tasker.createTask(workflow, null)
    tracing = startTestTracing()
    await tasker.startWorker()
    await untilEnd(tasker, handle)
    await closeAll()
    expect(tracing.spans().map((span) => span.spanContext().traceId)).toEqual(
      Array(3).fill(handle.taskId.replaceAll("-", "")),
    )
  })

  it("a request that is refused, or whose task stood already, says so", async () => {
    const workflow = defineWorkflow({ name: "picky", version: "1.0.0" }).step("only", { handler: () => 1 })
    const tasker = await start([workflow])
    const identity = { strategy: "key", key: kind } as const
    const first = await tasker.createTask(workflow, null, { identity })
    await tasker.createTask(workflow, null, { identity })
    const requests = [{ input: null }, { input: null, priority: 9 as 1 }]
    await expect(tasker.createTasks(workflow, requests)).rejects.toThrow("requests[1]")
    const creations = tracing.spans().filter(({ name }) => name === "tasker.task.create picky")
    expect(creations.map(({ attributes }) => attributes["tasker.task.created"])).toEqual([
      true,
      false,
      undefined,
      undefined,
    ])
    expect(creations[1]?.attributes["tasker.task.id"]).toBe(first.taskId)
    expect(tracing.span("tasker.tasks.create picky").attributes["error.type"]).toBe("TASKER_OPTION_INVALID")
  })

  // Another connection has to reach into the database.
  it.skipIf(kind === "pglite")("an outcome that comes too late is no completion", async () => {
    const workflow = defineWorkflow({ name: "late", version: "1.0.0" }).step("suicidal", {
      handler: async ({ taskId }) => {
        // Behind the back of its worker, which would abort it.
        await opened.database.query({ text: "select tasker.cancel_task($1)", values: [taskId] })
      },
    })
    const tasker = await start([workflow], { notifications: false })
    const fenced = new Promise<void>((resolve) => void tasker.events.on("step.fenced", () => resolve()))
    await tasker.startWorker()
    await tasker.createTask(workflow, null)
    await fenced
    await closeAll()
    expect(outcomes()).toEqual(["tasker.step suicidal: fenced"])
    expect(tracing.span("tasker.step suicidal").events.map(({ name }) => name)).toEqual(["tasker.step_fenced"])
  })

  it.skipIf(kind === "pglite")("a rescue that leaves no attempt ends the task, and tells it", async () => {
    const gate = createGate()
    const workflow = defineWorkflow({ name: "rescued", version: "1.0.0" }).step("held", {
      maxAttempts: 1,
      handler: async () => await gate.pass(),
    })
    const tasker = await start([workflow])
    const { workerId: lostId } = await tasker.startWorker({ leaseMs: 60_000 })
    const handle = await tasker.createTask(workflow, null)
    await gate.reached()
    await (await start([workflow])).startWorker({ leaseMs: 1_000 })
    const text = "update tasker.workers set heartbeat_at = now() - interval '1 hour' where worker_id = $1"
    await opened.database.query({ text, values: [lostId] })
    await untilStep(tasker, handle, "held", "error")
    await closeAll()
    gate.open()
    expect(outcomes().toSorted()).toEqual(["tasker.step held: aborted", "tasker.task rescued: error"])
    expect(tracing.span("tasker.task rescued").attributes["tasker.worker.id"]).toBe(lostId)
  })
})

function ms([seconds, nanos]: readonly [number, number] = [Number.NaN, 0]): number {
  return seconds * 1e3 + nanos / 1e6
}
