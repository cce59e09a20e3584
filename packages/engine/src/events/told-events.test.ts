import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../core/database.ts"
import { defineWorkflow } from "../core/define-workflow.ts"
import { PermanentError } from "../core/error.ts"
import type { EventName, EventsMatching, TaskerEvent } from "../core/events/event-map.ts"
import { silentLogger } from "../core/logger.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { collectExamples, type Occurrences } from "./test-examples.ts"
import { createTasker, type Tasker, type TaskerOptions } from "../tasker.ts"
import { createGate, runTask, untilEnd, untilStep } from "../testing.ts"
import { noteEnds } from "./test-ends.ts"

/** What two lanes did is told in the order of their answers, which need not be that of what happened. */
const ONE_LANE = { lanes: 1 } as const
const RETRY_SOON = { maxAttempts: 2, backoff: { baseMs: 1, capMs: 1 } } as const

const examples = collectExamples()

describe.each(testDatabases(migrate))("what is told on $kind", ({ kind, open }) => {
  let opened: Awaited<ReturnType<typeof open>>
  const taskers: Tasker[] = []

  beforeAll(async () => {
    opened = await open()
  })
  afterEach(async () => {
    await Promise.all(taskers.splice(0).map((tasker) => tasker.close({ timeoutMs: 100 })))
  })
  afterAll(async () => await opened.close())

  /** A Tasker with a worker, and all that it tells. */
  async function start(workflows: TaskerOptions["workflows"], options: TaskerOptions = {}) {
    const tasker = await createTasker({ url: opened.url, logger: silentLogger, workflows, ...options })
    taskers.push(tasker)
    const events: TaskerEvent[] = []
    tasker.events.on("*", (event) => void events.push(event))
    const told = <Name extends EventName>(name: Name): readonly EventsMatching<Name>["payload"][] =>
      // The name tells what the payload is.
      events.filter((event) => event.name === name).map((event) => event.payload) as EventsMatching<Name>["payload"][]
    /** The names of what was told of tasks and steps, in order, with the step. */
    const story = () =>
      events
        .filter(({ name }) => /^(task|step|observability)\./.test(name))
        .map(({ name, payload }) => ("step" in payload ? `${name} ${payload.step}` : name))
    /** Checks that each of these was told as often as it happened; the first of each name is the one that the docs show. */
    const show = async (occurrences: Occurrences) => {
      await tasker.events.drained()
      examples.keep(events, occurrences, { replaced: { delayMs: 1_000 }, isKept: kind === "postgres 18" })
    }
    return { tasker, events, told, story, show, ended: noteEnds(tasker) }
  }

  it("a task's life, each change once, in order", async () => {
    const workflow = defineWorkflow<{ readonly n: number }>({ name: "linear", version: "1.0.0", namespace: "shop" })
      .step("one", { handler: ({ input }) => input.n })
      .step("two", { dependsOn: ["one"], handler: ({ results }) => results.one + 1 })
    const { tasker, told, story, show, ended } = await start([workflow])
    // Before the worker is there, which may begin a task sooner than its creator has the answer.
    const task = await tasker.createTask(workflow, { n: 1 }, { correlationId: "c_1" })
    const worker = await tasker.startWorker(ONE_LANE)
    const { taskId } = await ended(untilEnd(tasker, task))
    expect(story()).toEqual([
      "task.initialize_requested",
      "task.start_requested",
      "step.execution_requested one",
      "step.before_handle one",
      "step.handle one",
      "step.completed one",
      "step.execution_requested two",
      "step.before_handle two",
      "step.handle two",
      "step.completed two",
      "task.completed",
    ])
    const facts = { taskId, namespace: "shop", workflow: "linear", version: "1.0.0", correlationId: "c_1" }
    const { workerId } = worker
    const change = { ...facts, cause: null, by: null, reason: null, workerId }
    expect(told("task.initialize_requested")).toEqual([
      { ...change, workerId: null, from: null, to: "pending", durationMs: null },
    ])
    expect(told("task.start_requested")).toEqual([{ ...change, from: "pending", to: "in_progress", durationMs: null }])
    expect(told("task.completed")).toEqual([
      { ...change, from: "in_progress", to: "complete", durationMs: expect.any(Number) },
    ])
    const attempt = { ...change, step: "one", attempt: 1, maxAttempts: 3, error: null }
    expect(told("step.execution_requested")[0]).toEqual({
      ...attempt,
      from: "pending",
      to: "in_progress",
      durationMs: null,
    })
    expect(told("step.completed")[0]).toEqual({
      ...attempt,
      from: "in_progress",
      to: "complete",
      durationMs: expect.any(Number),
    })
    expect(told("step.before_handle")[0]).toEqual({ ...facts, step: "one", attempt: 1, workerId })
    expect(told("step.handle")[0]).toEqual({
      ...facts,
      step: "one",
      attempt: 1,
      workerId,
      outcome: "returned",
      durationMs: expect.any(Number),
    })
    await show({
      "task.initialize_requested": 1,
      "task.start_requested": 1,
      "task.completed": 1,
      "step.execution_requested": 2,
      "step.before_handle": 2,
      "step.handle": 2,
      "step.completed": 2,
    })
  })

  it("calls of the worker: what they found, recorded, or not", async () => {
    const workflow = defineWorkflow({ name: "calls", version: "1.0.0" }).step("only", { handler: () => 1 })
    const { tasker, told, show, ended } = await start([workflow])
    const { workerId } = await tasker.startWorker({ concurrency: 4, lanes: 1 })
    await ended(runTask(tasker, workflow, null))
    expect(told("workflow.viable_steps_discovered")).toEqual([{ workerId, count: 1, room: 4 }])
    expect(told("workflow.steps_execution_completed")).toEqual([
      { workerId, completeCount: 1, retryCount: 0, errorCount: 0, lostCount: 0, durationMs: expect.any(Number) },
    ])
    expect(told("workflow.no_viable_steps")).toContainEqual({ workerId, room: 4 })
    await show({ "workflow.viable_steps_discovered": 1, "workflow.steps_execution_completed": 1 })
  })

  it("a failed attempt is told with its error and the wait, and the next one follows", async () => {
    const workflow = defineWorkflow({ name: "retrying", version: "1.0.0" }).step("flaky", {
      ...RETRY_SOON,
      handler: ({ attempt }) => {
        if (attempt === 1) throw Object.assign(new Error("not yet"), { code: "BUSY" })
      },
    })
    const { tasker, told, story, show, ended } = await start([workflow])
    await tasker.startWorker(ONE_LANE)
    await ended(runTask(tasker, workflow, null))
    expect(story().filter((line) => line.includes("flaky"))).toEqual([
      "step.execution_requested flaky",
      "step.before_handle flaky",
      "step.handle flaky",
      "observability.step.backoff flaky",
      "step.execution_requested flaky",
      "step.before_handle flaky",
      "step.handle flaky",
      "step.completed flaky",
    ])
    const [backoff] = told("observability.step.backoff")
    expect(backoff).toMatchObject({
      attempt: 1,
      to: "waiting_for_retry",
      error: { name: "Error", code: "BUSY", message: "not yet" },
    })
    expect(backoff?.delayMs).toBeCloseTo(1, 0)
    expect(told("step.execution_requested")[1]).toMatchObject({ attempt: 2, from: "waiting_for_retry" })
    expect(told("step.handle").map(({ outcome }) => outcome)).toEqual(["threw", "returned"])
    await show({ "observability.step.backoff": 1 })
  })

  it("no attempt left, and what an operator does about it", async () => {
    let isFixed = false
    const workflow = defineWorkflow({ name: "failing", version: "1.0.0" }).step("broken", {
      ...RETRY_SOON,
      handler: () => {
        if (!isFixed) throw new Error("no")
      },
    })
    const { tasker, told, story, events, show, ended } = await start([workflow])
    await tasker.startWorker(ONE_LANE)
    const handle = await tasker.createTask(workflow, null)
    await ended(untilEnd(tasker, handle))
    expect(story().slice(-3)).toEqual([
      "step.failed broken",
      "observability.step.max_retries_reached broken",
      "task.failed",
    ])
    isFixed = true
    events.length = 0
    await tasker.retryStep(handle, "broken", { by: "ann", reason: "fixed" })
    await ended(untilEnd(tasker, handle))
    expect(told("step.retry_requested")).toMatchObject([
      { step: "broken", attempt: 2, from: "error", to: "pending", cause: "retried", by: "ann", reason: "fixed" },
    ])
    expect(told("task.retry_requested")).toMatchObject([{ from: "error", to: "in_progress", by: "ann" }])
    expect(told("step.execution_requested")).toMatchObject([{ attempt: 3, from: "pending" }])
    expect(told("task.completed")).toHaveLength(1)
    expect(told("task.start_requested")).toEqual([])
    await show({ "step.retry_requested": 1, "task.retry_requested": 1 })
  })

  it("a permanent error fails a step at once, with attempts left", async () => {
    const workflow = defineWorkflow({ name: "permanent", version: "1.0.0" }).step("broken", {
      handler: () => {
        throw new PermanentError("never")
      },
    })
    const { tasker, told, show, ended } = await start([workflow])
    await tasker.startWorker(ONE_LANE)
    const handle = await tasker.createTask(workflow, null)
    await ended(untilEnd(tasker, handle))
    expect(told("step.failed")).toMatchObject([{ attempt: 1, maxAttempts: 3, error: { message: "never" } }])
    expect(told("observability.step.max_retries_reached")).toEqual([])
    await tasker.resolveTask(handle, { by: "ann" })
    expect(told("task.resolved_manually")).toMatchObject([{ from: "error", to: "resolved_manually", by: "ann" }])
    await show({ "step.failed": 1, "task.failed": 1, "task.resolved_manually": 1 })
  })

  it("a timeout, and a handler whose end after it is not told", async () => {
    const gate = createGate()
    const workflow = defineWorkflow({ name: "slow", version: "1.0.0" }).step("stuck", {
      maxAttempts: 1,
      timeoutMs: 5,
      handler: async () => await gate.pass(),
    })
    const { tasker, told, story, show, ended } = await start([workflow])
    await tasker.startWorker(ONE_LANE)
    await ended(runTask(tasker, workflow, null))
    gate.open()
    expect(story().filter((line) => line.includes("stuck"))).toEqual([
      "step.execution_requested stuck",
      "step.before_handle stuck",
      "step.handle stuck",
      "step.timed_out stuck",
      "step.failed stuck",
      "observability.step.max_retries_reached stuck",
    ])
    expect(told("step.handle")).toMatchObject([{ outcome: "timed_out" }])
    expect(told("step.timed_out")).toMatchObject([{ cause: "timeout", error: { code: "TASKER_STEP_TIMEOUT" } }])
    await show({ "step.timed_out": 1, "observability.step.max_retries_reached": 1 })
  })

  it("steps that are skipped: at creation, after they failed, by an operator", async () => {
    const workflow = defineWorkflow({ name: "skipping", version: "1.0.0" })
      .step("bypassed", { skippable: true, handler: () => 1 })
      .step("failing", {
        skippable: true,
        maxAttempts: 1,
        handler: () => {
          throw new Error("no")
        },
      })
      .step("blocked", { handler: () => Promise.reject(new PermanentError("no")) })
      .step("unwanted", { skippable: true, dependsOn: ["blocked"], handler: () => 1 })
    const { tasker, told, show, ended } = await start([workflow])
    await tasker.startWorker(ONE_LANE)
    const handle = await tasker.createTask(workflow, null, { bypass: ["bypassed"], reason: "a test" })
    await ended(untilEnd(tasker, handle))
    await tasker.skipStep(handle, "unwanted", { by: "ann" })
    const skips = told("observability.step.skip")
    expect(skips.map(({ step, from, cause, by }) => ({ step, from, cause, by }))).toEqual([
      { step: "bypassed", from: "pending", cause: "bypassed", by: null },
      { step: "failing", from: "in_progress", cause: null, by: null },
      { step: "unwanted", from: "pending", cause: "skipped", by: "ann" },
    ])
    expect(told("task.initialize_requested")).toHaveLength(1)
    expect(told("step.failed").map(({ step }) => step)).toEqual(["blocked"])
    await tasker.resolveStep(handle, "blocked", { by: "ann", result: 7 })
    expect(told("step.resolved_manually")).toMatchObject([{ step: "blocked", from: "error", by: "ann" }])
    expect(told("task.completed")).toHaveLength(1)
    await show({ "observability.step.skip": 3, "step.resolved_manually": 1 })
  })

  it("a task without steps is complete when it is created", async () => {
    const workflow = defineWorkflow({ name: "empty", version: "1.0.0" })
    const { tasker, story } = await start([workflow])
    await tasker.createTask(workflow, null)
    expect(story()).toEqual(["task.initialize_requested", "task.start_requested", "task.completed"])
  })

  it("a task is paused, resumed and cancelled, with its steps", async () => {
    const workflow = defineWorkflow({ name: "halting", version: "1.0.0" })
      .step("one", { handler: () => 1 })
      .step("two", { dependsOn: ["one"], handler: () => 2 })
    const { tasker, told, story, show } = await start([workflow])
    const handle = await tasker.createTask(workflow, null)
    await tasker.pauseTask(handle, { by: "ann" })
    await tasker.pauseTask(handle, { by: "bob" })
    await tasker.resumeTask(handle, { by: "ann" })
    await tasker.cancelTask(handle, { by: "ann", reason: "enough" })
    expect(story()).toEqual([
      "task.initialize_requested",
      "task.paused",
      "task.resumed",
      "step.cancelled one",
      "step.cancelled two",
      "task.cancelled",
    ])
    expect(told("task.paused")).toMatchObject([{ by: "ann", from: "pending", to: "pending" }])
    expect(told("step.cancelled")).toMatchObject([{ from: "pending", by: "ann" }, { reason: "enough" }])
    await show({ "task.paused": 1, "task.resumed": 1, "task.cancelled": 1, "step.cancelled": 2 })
  })

  it("a wait that is cut short", async () => {
    const workflow = defineWorkflow({ name: "waiting", version: "1.0.0" }).step("late", {
      maxAttempts: 2,
      backoff: { baseMs: 100_000, capMs: 100_000 },
      handler: ({ attempt }) => {
        if (attempt === 1) throw new Error("later")
      },
    })
    const { tasker, told, show, ended } = await start([workflow])
    await tasker.startWorker(ONE_LANE)
    const handle = await tasker.createTask(workflow, null)
    await untilStep(tasker, handle, "late", "waiting_for_retry")
    await tasker.retryStep(handle, "late", { by: "ann" })
    await ended(untilEnd(tasker, handle))
    expect(told("step.hastened")).toMatchObject([{ from: "waiting_for_retry", to: "waiting_for_retry", by: "ann" }])
    expect(told("step.completed")).toHaveLength(1)
    await show({ "step.hastened": 1 })
  })

  it("requests that are refused, or whose task is there already", async () => {
    const workflow = defineWorkflow({ name: "picky", version: "1.0.0" }).step("only", { handler: () => 1 })
    const { tasker, told, show } = await start([workflow])
    const identity = { strategy: "key", key: "k" } as const
    const first = await tasker.createTask(workflow, null, { identity })
    await tasker.createTask(workflow, null, { identity, correlationId: "c_2" })
    expect(told("task.deduplicated")).toEqual([
      { taskId: first.taskId, namespace: "default", workflow: "picky", version: "1.0.0", correlationId: "c_2" },
    ])
    expect(told("task.initialize_requested")).toHaveLength(1)
    const refused = tasker.createTask(workflow, null, { priority: 9 as 1, correlationId: "c_3" })
    await expect(refused).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    expect(told("task.refused")).toMatchObject([
      { workflow: "picky", correlationId: "c_3", error: { code: "TASKER_OPTION_INVALID" } },
    ])
    await show({ "task.deduplicated": 1, "task.refused": 1 })
    // Without one of its own, the request goes by that of the task.
    const named = { strategy: "key", key: "named" } as const
    const standing = await tasker.createTask(workflow, null, { identity: named, correlationId: "c_5" })
    await tasker.createTask(workflow, null, { identity: named })
    await tasker.createTask(workflow, null, { identity })
    expect(told("task.deduplicated").slice(1)).toMatchObject([
      { taskId: standing.taskId, correlationId: "c_5" },
      { taskId: first.taskId, correlationId: first.taskId },
    ])
    // What no compiler has seen.
    const odd = { correlationId: 7 as unknown as string }
    await expect(tasker.createTask({} as typeof workflow, null)).rejects.toMatchObject({
      code: "TASKER_WORKFLOW_INVALID",
    })
    await expect(tasker.createTask(workflow, null, odd)).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    const many = [{ input: null }, { input: null, correlationId: "c_4", priority: 9 as 1 }]
    await expect(tasker.createTasks(workflow, many)).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    await expect(tasker.createTasks(workflow, null as unknown as typeof many)).rejects.toMatchObject({
      code: "TASKER_OPTION_INVALID",
    })
    expect(told("task.refused").map(({ correlationId }) => correlationId)).toEqual(["c_3", null, "c_4", null])
  })

  it("the time of an attempt is its handler's, not that of its transaction", async () => {
    const workflow = defineWorkflow({ name: "queued", version: "1.0.0" })
      .step("first", { transactional: true, handler: () => new Promise<void>((done) => setTimeout(done, 300)) })
      .step("second", { transactional: true, handler: () => 1 })
    // So small a pool leaves one connection for transactional steps: one of the two waits for the other.
    const { tasker, told, ended } = await start([workflow], { poolSize: 5 })
    await tasker.startWorker()
    await ended(runTask(tasker, workflow, null))
    const durations = told("step.completed").map(({ step, durationMs }) => [step, durationMs ?? -1] as const)
    const of = Object.fromEntries(durations)
    expect(of.first).toBeGreaterThan(290)
    expect(of.second).toBeGreaterThanOrEqual(0)
    expect(of.second).toBeLessThan(200)
  })

  it("a transactional step is told once, after its commit", async () => {
    const workflow = defineWorkflow({ name: "exact", version: "1.0.0" }).step("pay", {
      transactional: true,
      handler: async ({ tx }) => (await tx.query("select 1 as one")).length,
    })
    const { tasker, story, ended } = await start([workflow])
    const task = await tasker.createTask(workflow, null)
    await tasker.startWorker(ONE_LANE)
    await ended(untilEnd(tasker, task))
    expect(story()).toEqual([
      "task.initialize_requested",
      "task.start_requested",
      "step.execution_requested pay",
      "step.before_handle pay",
      "step.handle pay",
      "step.completed pay",
      "task.completed",
    ])
  })

  it("queues are paused, resumed and limited", async () => {
    const { tasker, told, show } = await start([])
    await tasker.pauseQueue("mail", { by: "ann", reason: "down" })
    await tasker.pauseQueue("mail")
    await tasker.resumeQueue("mail")
    await tasker.limitQueue("mail", 3)
    await tasker.limitQueue("mail", 3)
    expect(told("queue.paused")).toEqual([{ queue: "mail", by: "ann", reason: "down" }])
    expect(told("queue.resumed")).toEqual([{ queue: "mail", by: null, reason: null }])
    expect(told("queue.limited")).toEqual([{ queue: "mail", maxRunning: 3 }])
    await show({ "queue.paused": 1, "queue.resumed": 1, "queue.limited": 1 })
  })

  it("a worker starts, beats, stops, and hands back what does not end in time", async () => {
    const gate = createGate()
    const workflow = defineWorkflow({ name: "held", version: "1.0.0" }).step("stuck", {
      handler: async () => await gate.pass(),
    })
    const { tasker, told, events, show } = await start([workflow])
    let beatCount = 0
    tasker.onDatabaseCall(({ operation }) => void (beatCount += operation === "heartbeat" ? 1 : 0))
    const worker = await tasker.startWorker({ name: "w", leaseMs: 1_000, concurrency: 5 })
    const { workerId } = worker
    const facts = { workerId, worker: "w" }
    expect(told("worker.started")).toMatchObject([{ ...facts, concurrency: 5, leaseMs: 1_000, queues: null }])
    await tasker.createTask(workflow, null)
    await gate.reached()
    await new Promise<void>((resolve) => void tasker.events.on("worker.heartbeat", () => resolve()))
    expect(told("worker.heartbeat").at(-1)).toMatchObject({ ...facts, runningCount: 1, room: 4 })
    await worker.stop({ timeoutMs: 1 })
    gate.open()
    expect(told("step.handed_back")).toMatchObject([{ step: "stuck", cause: "handed_back", workerId }])
    expect(told("worker.stopping")).toEqual([facts])
    expect(told("worker.stopped")).toEqual([{ ...facts, handedBackCount: 1 }])
    expect(events.at(-1)?.name).toBe("worker.stopped")
    await show({
      "worker.started": 1,
      "worker.heartbeat": beatCount,
      "worker.stopping": 1,
      "worker.stopped": 1,
      "step.handed_back": 1,
    })
  })

  it("the answer of a handler that went on after it was aborted is told as fenced, once; one that gave up is not", async () => {
    const aborted = async (signal: AbortSignal): Promise<void> =>
      await new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
    const running = createGate()
    const workflow = defineWorkflow({ name: "deaf", version: "1.0.0" })
      .step("obeys", {
        handler: async ({ signal }) => {
          void running.pass()
          await aborted(signal)
          throw signal.reason
        },
      })
      .step("goes_on", {
        handler: async ({ signal }) => {
          void running.pass()
          await aborted(signal)
          return await new Promise<number>((resolve) => setImmediate(resolve, 1))
        },
      })
    const { tasker, told } = await start([workflow])
    const worker = await tasker.startWorker()
    const { workerId } = worker
    const { taskId } = await tasker.createTask(workflow, null)
    await running.reached(2)
    const fenced = new Promise<void>((resolve) => void tasker.events.on("step.fenced", () => resolve()))
    await tasker.cancelTask(taskId)
    await fenced
    await worker.stop()
    await tasker.events.drained()
    expect(told("step.fenced")).toMatchObject([{ taskId, step: "goes_on", attempt: 1, workerId, outcome: "complete" }])
  })

  // Another connection has to reach into the database.
  describe.skipIf(kind === "pglite")("with a hand in the database", () => {
    async function sql(text: string, values: readonly unknown[] = []): Promise<void> {
      const database: Database = opened.database
      await database.query({ text, values })
    }

    it("an answer that comes too late is told as fenced, and not as a completion", async () => {
      const workflow = defineWorkflow({ name: "late", version: "1.0.0" }).step("suicidal", {
        // Behind the back of its worker, which would abort it.
        handler: async ({ taskId }) => await sql("select tasker.cancel_task($1)", [taskId]),
      })
      const { tasker, told, show } = await start([workflow], { notifications: false })
      const { workerId } = await tasker.startWorker()
      const fenced = new Promise<void>((resolve) => void tasker.events.on("step.fenced", () => resolve()))
      const { taskId } = await tasker.createTask(workflow, null)
      await fenced
      expect(told("step.fenced")).toEqual([
        {
          taskId,
          namespace: "default",
          workflow: "late",
          version: "1.0.0",
          correlationId: taskId,
          step: "suicidal",
          attempt: 1,
          workerId,
          outcome: "complete",
        },
      ])
      expect(told("step.completed")).toEqual([])
      await show({ "step.fenced": 1 })
    })

    it("a worker whose lease is lost says so, and goes on under another id", async () => {
      const { tasker, told, show } = await start([])
      const worker = await tasker.startWorker({ leaseMs: 1_000, name: "w" })
      const before = worker.workerId
      const recovered = new Promise<void>((resolve) => void tasker.events.on("worker.recovered", () => resolve()))
      await sql("update tasker.workers set lost_at = now() where worker_id = $1", [before])
      await recovered
      expect(told("worker.disconnected")).toMatchObject([{ workerId: before, error: { code: "TASKER_LEASE_LOST" } }])
      expect(told("worker.lease_lost")).toMatchObject([{ workerId: before, error: { code: "TASKER_LEASE_LOST" } }])
      expect(told("worker.recovered")).toEqual([
        { workerId: worker.workerId, worker: "w", durationMs: expect.any(Number) },
      ])
      expect(worker.workerId).not.toBe(before)
      await show({ "worker.disconnected": 1, "worker.lease_lost": 1, "worker.recovered": 1 })
    })

    it("steps of a lost worker are told as rescued, by the worker that took them back", async () => {
      const gate = createGate()
      const workflow = defineWorkflow({ name: "rescued", version: "1.0.0" }).step("held", {
        handler: async ({ attempt }) => {
          if (attempt === 1) await gate.pass()
        },
      })
      const { tasker, told } = await start([workflow])
      const first = await tasker.startWorker({ leaseMs: 60_000 })
      const lostId = first.workerId
      const handle = await tasker.createTask(workflow, null)
      await gate.reached()
      const other = await start([workflow])
      const rescuer = await other.tasker.startWorker({ leaseMs: 1_000 })
      const rescued = new Promise<void>((resolve) => void other.tasker.events.on("worker.lost", () => resolve()))
      await sql("update tasker.workers set heartbeat_at = now() - interval '1 hour' where worker_id = $1", [lostId])
      await rescued
      expect(other.told("worker.lost")).toEqual([{ workerId: lostId, stepCount: 1, rescuedBy: rescuer.workerId }])
      expect(other.told("step.rescued")).toMatchObject([
        { step: "held", attempt: 1, cause: "worker_lost", from: "in_progress", workerId: lostId },
      ])
      await other.show({ "worker.lost": 1, "step.rescued": 1 })
      await untilEnd(other.tasker, handle)
      gate.open()
      // By whichever worker took it then, once it has heard of it.
      await expect.poll(() => [...told("step.completed"), ...other.told("step.completed")].length).toBeGreaterThan(0)
      expect([...told("step.completed"), ...other.told("step.completed")]).toHaveLength(1)
    })

    it("what verify() finds", async () => {
      const workflow = defineWorkflow({ name: "crooked", version: "1.0.0" }).step("only", { handler: () => 1 })
      const { tasker, told, show } = await start([workflow])
      const { taskId } = await tasker.createTask(workflow, null)
      await sql("update tasker.tasks set active_steps = 2 where task_id = $1", [taskId])
      await tasker.verify()
      expect(told("workflow.task_state_unclear")).toMatchObject([{ invariant: "counters", taskId }])
      await sql("update tasker.tasks set active_steps = 1 where task_id = $1", [taskId])
      await show({ "workflow.task_state_unclear": 1 })
    })
  })
})

it("the docs show these events", async () => {
  await examples.compare("work")
})
