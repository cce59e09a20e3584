import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { type AnyWorkflow, createTasker, silentLogger, type Tasker } from "@tasker/engine"
import { createGate, createTestTasker, type Gate, runTask, untilStep } from "@tasker/engine/testing"
import { Counter, Registry } from "prom-client"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { databaseKinds } from "../test-databases.ts"
import { createMetrics, type Metrics } from "./create-metrics.ts"
import type { MetricsOptions } from "./metrics-options.ts"
import { METRICS } from "./metric-catalogue.ts"
import { parseExposition, type ScrapedMetric, valueOf } from "./test-exposition.ts"
import { testWorkflows } from "./test-workflows.ts"

async function scrape(metrics: Metrics): Promise<readonly ScrapedMetric[]> {
  return parseExposition(await metrics.metrics())
}

/** Runs a task, and waits until its end is told: it can be read before the worker has the answer of the call that ended it. */
async function runCounted(tasker: Tasker, workflow: AnyWorkflow): Promise<{ readonly taskId: string }> {
  const ended = new Set<string>()
  const stops = (["task.completed", "task.failed", "task.cancelled"] as const).map((name) =>
    tasker.events.on(name, ({ payload }) => void ended.add(payload.taskId)),
  )
  const run = await runTask(tasker, workflow, null)
  await vi.waitFor(() => expect(ended).toContain(run.taskId), 10_000)
  await tasker.events.drained()
  for (const stop of stops) stop()
  return run
}

describe.each(await databaseKinds())("what is counted, on $kind", ({ newUrl }) => {
  let gate: Gate
  let cancel: (taskId: string) => Promise<void>
  let workflows: ReturnType<typeof testWorkflows>
  let tasker: Tasker
  let metrics: Metrics

  beforeAll(async () => {
    workflows = testWorkflows({
      wait: (signal) => gate.pass(signal),
      cancel: (taskId) => cancel(taskId),
    })
    tasker = await createTestTasker({ url: await newUrl(), workflows: Object.values(workflows), worker: false })
  })
  beforeEach(async () => {
    gate = createGate()
    metrics = createMetrics(tasker)
    // Each test has its own metrics, and they all share a worker.
    if (tasker.workers.length === 0) await tasker.startWorker({ name: "one", pollMs: 50 })
  })
  afterEach(() => {
    gate.open()
    metrics.stop()
  })
  afterAll(async () => await tasker.close())

  async function value(name: keyof typeof METRICS, labels: Readonly<Record<string, string>> = {}, suffix = "") {
    return valueOf(await scrape(metrics), `${METRICS[name].name}${suffix}`, labels)
  }

  test("a task that goes well, once, with all of its steps, and how long they took", async () => {
    await runCounted(tasker, workflows.order)
    const scraped = await scrape(metrics)
    const of = (name: keyof typeof METRICS, labels = {}, suffix = "") =>
      valueOf(scraped, `${METRICS[name].name}${suffix}`, { workflow: "order", ...labels })
    expect(of("tasksCreated")).toBe(1)
    expect(of("tasksEnded", { namespace: "shop", outcome: "complete" })).toBe(1)
    expect(of("tasksEnded", { outcome: "error" })).toBe(0)
    for (const step of ["price", "charge", "send"]) expect(of("stepsEnded", { step, outcome: "complete" })).toBe(1)
    expect(of("stepsEnded")).toBe(3)
    expect(of("stepRetries")).toBe(0)
    expect(of("stepDuration", { outcome: "complete" }, "_count")).toBe(3)
    const stepsTook = of("stepDuration", {}, "_sum") ?? 0
    expect(stepsTook).toBeGreaterThan(0.002)
    expect(of("taskDuration", { outcome: "complete" }, "_count")).toBe(1)
    expect(of("taskDuration", {}, "_sum")).toBeGreaterThan(0.002)
    expect(of("taskDuration", {}, "_sum")).toBeLessThan(10)
  })

  test("an attempt that fails and its retry", async () => {
    await runCounted(tasker, workflows.flaky)
    expect(await value("stepRetries", { step: "try" })).toBe(1)
    expect(await value("stepDuration", { workflow: "flaky", outcome: "retry" }, "_count")).toBe(1)
    expect(await value("stepDuration", { workflow: "flaky", outcome: "complete" }, "_count")).toBe(1)
    expect(await value("stepsEnded", { workflow: "flaky" })).toBe(1)
  })

  test("a step that is skipped and one that fails for good, and what an operator does then", async () => {
    const { taskId } = await runCounted(tasker, workflows.doomed)
    expect(await value("stepsEnded", { step: "extra", outcome: "skipped" })).toBe(1)
    expect(await value("stepDuration", { step: "extra", outcome: "skipped" }, "_count")).toBe(1)
    expect(await value("stepsEnded", { step: "fail", outcome: "error" })).toBe(1)
    expect(await value("stepDuration", { step: "fail", outcome: "error" }, "_count")).toBe(1)
    expect(await value("tasksEnded", { workflow: "doomed", outcome: "error" })).toBe(1)
    expect(await value("taskDuration", { workflow: "doomed", outcome: "error" }, "_count")).toBe(1)

    await tasker.retryTask(taskId)
    await untilStep(tasker, taskId, "fail", (step) => step.attempts === 2 && step.state === "error")
    expect(await value("tasksReopened", { workflow: "doomed" })).toBe(1)
    expect(await value("stepsReopened", { step: "fail" })).toBe(1)
    // What the worker tells may come after the state that was read.
    await vi.waitFor(
      async () => expect(await value("tasksEnded", { workflow: "doomed", outcome: "error" })).toBe(2),
      10_000,
    )
    await tasker.resolveStep(taskId, "fail", { result: "paid by hand" })
    expect(await value("stepsEnded", { step: "fail", outcome: "resolved_manually" })).toBe(1)
    expect(await value("tasksEnded", { workflow: "doomed", outcome: "complete" })).toBe(1)
  })

  test("a timeout", async () => {
    await runCounted(tasker, workflows.slow)
    expect(await value("stepTimeouts", { step: "sleep" })).toBe(1)
    expect(await value("stepsEnded", { step: "sleep", outcome: "error" })).toBe(1)
    expect(await value("stepDuration", { step: "sleep" }, "_sum")).toBeGreaterThanOrEqual(0.019)
  })

  test("a task that is cancelled, and each of its steps", async () => {
    const task = await tasker.createTask(workflows.gated, null)
    await gate.reached()
    expect(await value("workerSlotsUsed", { worker: "one" })).toBe(1)
    await tasker.cancelTask(task)
    expect(await value("tasksEnded", { workflow: "gated", outcome: "cancelled" })).toBe(1)
    const { states } = await tasker.countSteps({ namespace: "shop", workflow: "gated" })
    expect(states.cancelled).toBe(2)
    expect(await value("stepsEnded", { workflow: "gated", outcome: "cancelled" })).toBe(2)
    // When the handler ended, if it did, nobody measured.
    expect(await value("stepDuration", { workflow: "gated" }, "_count")).toBeUndefined()
  })

  test("an outcome that is refused because the step was cancelled by then", async () => {
    // It hears of the cancellation by its heartbeat alone, which is too late.
    const deaf = await createTestTasker({
      url: await newUrl(),
      workflows: [workflows.late],
      notifications: false,
      worker: { leaseMs: 60_000 },
    })
    cancel = async (taskId) => void (await deaf.cancelTask(taskId))
    const itsMetrics = createMetrics(deaf)
    const fenced = new Promise<void>(
      (resolve) => void deaf.events.on("step.fenced", () => resolve(), { name: "fenced" }),
    )
    await deaf.createTask(workflows.late, null)
    await fenced
    const scraped = await scrape(itsMetrics)
    expect(valueOf(scraped, METRICS.stepsFenced.name, { namespace: "shop", workflow: "late", step: "answer" })).toBe(1)
    expect(valueOf(scraped, METRICS.stepsEnded.name, { workflow: "late", outcome: "complete" })).toBe(0)
    await deaf.close()
  })

  test("a step that its worker gives back", async () => {
    const task = await tasker.createTask(workflows.gated, null)
    await gate.reached()
    await Promise.all(tasker.workers.map((worker) => worker.stop({ timeoutMs: 1 })))
    expect(await value("stepsHandedBack", { step: "wait" })).toBe(1)
    expect(await value("workerSlots")).toBeUndefined()
    await tasker.cancelTask(task)
  })

  test("requests that make no task", async () => {
    // Nobody runs it: what it told would be counted by the tests that follow.
    const runAt = new Date(Date.now() + 3_600_000)
    const identity = { strategy: "key", key: "once" } as const
    for (let count = 0; count < 3; count++) await tasker.createTask(workflows.order, null, { identity, runAt })
    const refused = tasker.createTask(workflows.order, null, { priority: 9 as 1 })
    await expect(refused).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    expect(await value("tasksCreated", { workflow: "order" })).toBe(1)
    expect(await value("tasksDeduplicated", { workflow: "order" })).toBe(2)
    expect(await value("tasksRefused", { workflow: "order" })).toBe(1)
  })

  test("10,000 tasks that are created at once, twice", async () => {
    const runAt = new Date(Date.now() + 3_600_000)
    for (let count = 0; count < 2; count++) {
      await tasker.createTasks(
        workflows.order,
        Array.from({ length: 10_000 }, () => ({ input: null, runAt })),
      )
    }
    expect(await value("tasksCreated", { workflow: "order" })).toBe(20_000)
    expect(await value("queueSteps", { queue: "shop", state: "delayed" })).toBe(10_000)
  })

  test("calls of the database, by what they call and whether they were answered", async () => {
    await runCounted(tasker, workflows.order)
    await expect(tasker.limitQueue("shop", 10 ** 7)).rejects.toThrow("expected maxRunning")
    await expect(tasker.retryStep("01a2092a-989a-7c18-9b48-dd6178d838e7", "none")).rejects.toMatchObject({
      code: "TASKER_TASK_NOT_FOUND",
    })
    const scraped = await scrape(metrics)
    const callsOf = (labels: Record<string, string>) =>
      valueOf(scraped, "tasker_database_call_duration_seconds_count", labels)
    expect(callsOf({ operation: "create_tasks", outcome: "ok" })).toBe(1)
    expect(callsOf({ operation: "advance", outcome: "ok" })).toBeGreaterThanOrEqual(3)
    expect(callsOf({ operation: "retry_steps", outcome: "failed" })).toBe(1)
  })

  test("a subscriber that throws", async () => {
    const stop = tasker.events.on(
      "step.completed",
      () => {
        throw new Error("the subscriber is broken")
      },
      { name: "broken" },
    )
    await runCounted(tasker, workflows.order)
    await tasker.events.drained()
    stop()
    expect(await value("subscriberFailures", { subscriber: "broken", reason: "failed" })).toBe(3)
  })

  test("queues: what is ready and delayed, the age of the oldest, the limit, the pause, the workers", async () => {
    const queue = "shop"
    await tasker.pauseQueue(queue)
    await tasker.limitQueue(queue, 7)
    await tasker.createTasks(workflows.order, [{ input: null }, { input: null }])
    const ready = await value("queueSteps", { queue, state: "ready" })
    expect(ready).toBe(2)
    // What was read is shown for a second.
    await vi.waitFor(async () => expect(await value("queueOldestReady", { queue })).toBeGreaterThan(0), 10_000)
    expect(await value("queuePaused", { queue })).toBe(1)
    expect(await value("queueLimit", { queue })).toBe(7)
    expect(await value("queueLiveWorkers", { queue })).toBe(1)
    await tasker.resumeQueue(queue)
    await tasker.limitQueue(queue, null)
    await vi.waitFor(async () => expect(await value("queuePaused", { queue })).toBe(0), 10_000)
    expect(await value("queueLimit", { queue })).toBeUndefined()
  })

  test("the series of what the process knows start at 0", async () => {
    const scraped = await scrape(metrics)
    for (const name of ["stepsRescued", "stepsFenced", "stepTimeouts", "stepRetries", "stepsHandedBack"] as const) {
      expect(valueOf(scraped, METRICS[name].name, { workflow: "flaky", step: "try" }), name).toBe(0)
    }
    expect(valueOf(scraped, METRICS.stepsEnded.name, { step: "extra", outcome: "skipped" })).toBe(0)
    expect(valueOf(scraped, METRICS.workerDisconnections.name, { worker: "one" })).toBe(0)
    expect(valueOf(scraped, METRICS.workersLost.name)).toBe(0)
    const late = await tasker.startWorker({ name: "late" })
    expect(await value("workerLeasesLost", { worker: "late" })).toBe(0)
    await late.stop()
  })
})

describe("createMetrics", () => {
  const workflows = testWorkflows({ wait: async () => {} })
  const { order } = workflows
  let tasker: Tasker
  let metrics: Metrics | undefined

  beforeAll(async () => {
    tasker = await createTestTasker({ workflows: [order], worker: { concurrency: 3 } })
  })
  afterEach(() => metrics?.stop())
  afterAll(async () => await tasker.close())

  test("refuses options that it does not know or that are out of range, all at once", () => {
    // A JavaScript user can pass anything.
    const options = {
      registry: {},
      seriesLimit: 0,
      stepBuckets: [1, 1],
      taskBuckets: [],
      queues: 1,
      queueCountLimit: 0,
      queueTimeoutMs: 1,
      port: 9464,
    } as unknown as MetricsOptions
    expect(() => createMetrics(tasker, options)).toThrow(
      expect.objectContaining({
        code: "TASKER_OPTION_INVALID",
        details: { problems: Object.keys(options).map((path): unknown => expect.objectContaining({ path })) },
      }),
    )
  })

  test("stepBuckets and taskBuckets are those of the histograms", async () => {
    metrics = createMetrics(tasker, { stepBuckets: [0.1, 60], taskBuckets: [30] })
    await runCounted(tasker, order)
    const scraped = await scrape(metrics)
    const boundsOf = (name: string) => [
      ...new Set(scraped.find((metric) => metric.name === name)?.samples.flatMap(({ labels }) => labels["le"] ?? [])),
    ]
    expect(boundsOf("tasker_step_duration_seconds")).toEqual(["0.1", "60", "+Inf"])
    expect(boundsOf("tasker_task_duration_seconds")).toEqual(["30", "+Inf"])
  })

  test("beyond seriesLimit, steps are counted as others, and that is counted", async () => {
    metrics = createMetrics(tasker, { seriesLimit: 2 })
    await runCounted(tasker, order)
    const scraped = await scrape(metrics)
    const stepsOf = (step: string) => valueOf(scraped, METRICS.stepsEnded.name, { step, outcome: "complete" })
    expect([stepsOf("price"), stepsOf("charge"), stepsOf("send")]).toEqual([1, undefined, undefined])
    expect(stepsOf("other")).toBe(2)
    expect(valueOf(scraped, METRICS.stepsEnded.name, { outcome: "complete" })).toBe(3)
    // Those of its start at 0, and two steps.
    expect(valueOf(scraped, METRICS.capped.name, { metric: METRICS.stepsEnded.name })).toBe(4 + 2)
  })

  test("queues: false asks the database nothing", async () => {
    const quiet = createMetrics(tasker, { queues: false })
    const operations: string[] = []
    const stop = tasker.onDatabaseCall(({ operation }) => operations.push(operation))
    const silent = valueOf(await scrape(quiet), METRICS.queueSteps.name)
    expect(silent).toBeUndefined()
    expect(operations).not.toContain("measure_queues")
    quiet.stop()
    metrics = createMetrics(tasker)
    // What was read is shown again for a second.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now())
    await Promise.all([scrape(metrics), scrape(metrics)])
    await scrape(metrics)
    clock.mockRestore()
    stop()
    expect(operations.filter((operation) => operation === "measure_queues")).toHaveLength(1)
  })

  test("queueCountLimit says how far to count", async () => {
    metrics = createMetrics(tasker, { queueCountLimit: 2 })
    await tasker.createTasks(
      order,
      Array.from({ length: 3 }, () => ({ input: null, runAt: new Date(Date.now() + 1e7) })),
    )
    expect(valueOf(await scrape(metrics), METRICS.queueSteps.name, { state: "delayed" })).toBe(2)
  })

  test("puts its metrics beside others, refuses a second Tasker there, and takes them out again", async () => {
    const registry = new Registry()
    const own = new Counter({ name: "shop_visits_total", help: "Visits", registers: [registry] })
    own.inc()
    const first = createMetrics(tasker, { registry })
    expect(first.registry).toBe(registry)
    expect(() => createMetrics(tasker, { registry })).toThrow(
      expect.objectContaining({ code: "TASKER_OPTION_INVALID", details: { argument: "registry" } }),
    )
    expect(valueOf(await scrape(first), "tasker_worker_slots")).toBe(3)
    first.stop()
    first.stop()
    expect((await scrape(first)).map(({ name }) => name)).toEqual(["shop_visits_total"])
    metrics = createMetrics(tasker, { registry })
    first.stop()
    expect(valueOf(await scrape(metrics), "shop_visits_total")).toBe(1)
    expect(valueOf(await scrape(metrics), "tasker_worker_slots")).toBe(3)
  })

  test("asks for no more events than it counts, and for none after its end", async () => {
    const stopped = createMetrics(tasker)
    const patterns = tasker.events.stats().flatMap((subscriber) => subscriber.patterns)
    // Each of them is told for each step, so each would cost something for each step.
    expect(patterns).not.toContain("step.execution_requested")
    expect(patterns).not.toContain("step.handle")
    stopped.stop()
    expect(tasker.events.stats()).toEqual([])
  })

  test("prints every metric of the catalogue, and no other", async () => {
    metrics = createMetrics(tasker)
    const scraped = await scrape(metrics)
    expect(new Map(scraped.map(({ name, type, help }) => [name, { type, help }]))).toEqual(
      new Map(Object.values(METRICS).map(({ name, type, help }) => [name, { type, help }])),
    )
  })
})

describe("a database that does not answer", () => {
  test("costs a scrape the gauges of queues, and no more than queueTimeoutMs", async () => {
    const gate = createGate()
    const workflow = testWorkflows({ wait: async () => {} }).order
    const holding = workflow.step("hold", { transactional: true, handler: () => gate.pass() })
    // PGlite has one connection: a transaction keeps everybody else waiting.
    const tasker = await createTestTasker({ workflows: [holding] })
    const metrics = createMetrics(tasker, { queueTimeoutMs: 50 })
    const task = await tasker.createTask(holding, null)
    await gate.reached()
    const scraped = await scrape(metrics)
    expect(valueOf(scraped, METRICS.queueSteps.name)).toBeUndefined()
    expect(valueOf(scraped, METRICS.tasksCreated.name)).toBe(1)
    expect(valueOf(await scrape(metrics), METRICS.collectFailures.name)).toBe(1)
    gate.open()
    await tasker.waitForTask(task)
    await vi.waitFor(async () => expect(valueOf(await scrape(metrics), METRICS.queueSteps.name)).toBe(0), 10_000)
    await tasker.close()
  })

  test("and one that is closed does the same", async () => {
    const tasker = await createTasker({ url: "pglite:memory", logger: silentLogger })
    const metrics = createMetrics(tasker)
    await tasker.close()
    await scrape(metrics)
    expect(valueOf(await scrape(metrics), METRICS.collectFailures.name)).toBe(1)
  })
})

describe("handle", () => {
  let tasker: Tasker
  let metrics: Metrics
  let server: Server
  let url: string

  beforeAll(async () => {
    tasker = await createTestTasker({ worker: false })
    metrics = createMetrics(tasker)
    server = createServer((request, response) => void metrics.handle(request, response))
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    // A server that listens on a port has an address of this form.
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
  })
  afterAll(async () => {
    server.close()
    await tasker.close()
  })

  test("answers with the metrics, as Prometheus asks for them", async () => {
    const response = await fetch(url)
    expect(response.status).toBe(200)
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8")
    expect(parseExposition(await response.text())).not.toEqual([])
    const head = await fetch(url, { method: "HEAD" })
    expect([head.status, await head.text()]).toEqual([200, ""])
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(1_000)
  })

  test("refuses other methods", async () => {
    const response = await fetch(url, { method: "POST", body: "x" })
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"])
  })

  test.each(["GET", "POST"])(
    "breaks off an answer that the application has begun, and never rejects: %s",
    async (method) => {
      const outcomes: unknown[] = []
      const begun = createServer((request, response) => {
        response.writeHead(200, { "content-length": 1_000_000 }).write("begun")
        metrics.handle(request, response).then(
          () => outcomes.push("settled"),
          (error: unknown) => outcomes.push(error),
        )
      })
      await new Promise<void>((resolve) => begun.listen(0, "127.0.0.1", resolve))
      // As above.
      const { port } = begun.address() as AddressInfo
      const answered = fetch(`http://127.0.0.1:${port}`, { method }).then((response) => response.text())
      await expect(answered).rejects.toThrow(/terminated|fetch failed/)
      expect(outcomes).toEqual(["settled"])
      begun.close()
    },
  )

  test("says that a metric of the application fails, and not how", async () => {
    const broken = new Counter({
      name: "broken_total",
      help: "Broken",
      registers: [metrics.registry],
      collect() {
        throw new Error("postgres://user:secret@host")
      },
    })
    const response = await fetch(url)
    expect([response.status, await response.text()]).toEqual([500, "a metric could not be collected\n"])
    metrics.registry.removeSingleMetric("broken_total")
    expect(broken).toBeDefined()
  })
})
