import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "./core/database.ts"
import { defineWorkflow } from "./core/define-workflow.ts"
import type { Logger } from "./core/logger.ts"
import { silentLogger } from "./core/logger.ts"
import { testDatabase } from "./database/test-database.ts"
import { createTasker, type Tasker, type TaskerOptions } from "./tasker.ts"
import { createGate, runTask } from "./testing.ts"
import type { WorkerOptions } from "./worker/worker-options.ts"

const echo = defineWorkflow<{ readonly text: string }>({ name: "echo", version: "1.0.0" }).step("say", {
  handler: ({ input }) => input.text,
})

describe("createTasker", () => {
  let url: string
  let database: Database
  let opened: Awaited<ReturnType<ReturnType<typeof testDatabase>["open"]>>
  const taskers: Tasker[] = []

  beforeAll(async () => {
    opened = await testDatabase("postgres 18").open()
    ;({ url, database } = opened)
  })
  afterEach(async () => {
    await Promise.all(taskers.splice(0).map((tasker) => tasker.close({ timeoutMs: 100 })))
  })
  afterAll(async () => await opened.close())

  async function open(options: TaskerOptions = {}): Promise<Tasker> {
    const tasker = await createTasker({ url, logger: silentLogger, workflows: [echo], ...options })
    taskers.push(tasker)
    return tasker
  }

  async function backends(query: string): Promise<number> {
    const [row] = await database.query<{ count: number }>({
      text: "select count(*) as count from pg_stat_activity where datname = current_database() and query ilike $1",
      values: [query],
    })
    return row?.count ?? -1
  }

  it("refuses options that it does not know or that are out of range, all at once", async () => {
    // A JavaScript user can pass anything.
    const options = {
      worklfows: [],
      poolSize: 2,
      limits: { inputBytes: 0 },
      notifications: "no",
      redact: [],
    } as unknown
    await expect(createTasker(options as TaskerOptions)).rejects.toMatchObject({
      code: "TASKER_CONFIG_INVALID",
      details: {
        problems: [
          { path: "worklfows", hint: 'did you mean "workflows"?' },
          { path: "poolSize" },
          { path: "limits" },
          { path: "notifications" },
          { path: "redact" },
        ],
      },
    })
  })

  it("says where the tasks live without the password, and how to join", async () => {
    const tasker = await open()
    expect(tasker.joinUrl).toBe(url)
    expect(tasker.databaseUrl).not.toContain(new URL(url).password)
  })

  it("replaceWorkflows lets a changed workflow take its version's place while no task of it is live", async () => {
    const before = defineWorkflow({ name: "changing", version: "1.0.0" }).step("a", { handler: () => 1 })
    const after = defineWorkflow({ name: "changing", version: "1.0.0" }).step("b", { handler: () => 2 })
    const first = await open({ workflows: [before] })
    await expect(open({ workflows: [after] })).rejects.toMatchObject({ code: "TASKER_WORKFLOW_CHANGED" })

    const live = await first.createTask(before, null)
    const replacing = () => open({ workflows: [after], replaceWorkflows: true })
    await expect(replacing()).rejects.toMatchObject({ code: "TASKER_WORKFLOW_IN_USE" })
    await first.cancelTask(live)
    const second = await replacing()
    await second.startWorker()
    expect((await runTask(second, after, null)).results).toMatchObject({ b: 2 })
    expect((await second.getSteps(live)).map((step) => step.name)).toEqual(["a"])
  })

  it("limits what an input and a result may take", async () => {
    const tasker = await open({ limits: { inputBytes: 40, resultBytes: 10 } })
    await tasker.startWorker()
    const tooLong = tasker.createTask(echo, { text: "x".repeat(40) })
    await expect(tooLong).rejects.toMatchObject({ code: "TASKER_INPUT_INVALID" })
    expect(await runTask(tasker, echo, { text: "a result" })).toMatchObject({ state: "complete" })
    const run = await runTask(tasker, echo, { text: "a result too long" })
    expect(run).toMatchObject({ state: "error", error: { code: "TASKER_RESULT_INVALID" }, attempts: { say: 1 } })
  })

  it("finds a workflow that was defined twice by its name and version", async () => {
    const again = defineWorkflow<{ readonly text: string }>({ name: "echo", version: "1.0.0" }).step("say", {
      handler: ({ input }) => input.text,
    })
    const tasker = await open()
    await expect(tasker.createTask(again, { text: "hello" })).resolves.toMatchObject({ created: true })
    const unknown = defineWorkflow({ name: "unknown", version: "1.0.0" }).step("a", { handler: () => 1 })
    await expect(tasker.createTask(unknown, null)).rejects.toMatchObject({ code: "TASKER_WORKFLOW_NOT_FOUND" })
  })

  it("says that what is no workflow is none", async () => {
    const tasker = await open()
    // A JavaScript user can pass anything.
    for (const workflow of ["echo", undefined, Promise.resolve(echo), { name: "echo" }] as unknown[]) {
      await expect(tasker.createTask(workflow as typeof echo, { text: "" })).rejects.toMatchObject({
        code: "TASKER_WORKFLOW_INVALID",
        hint: "make it with defineWorkflow, defineTemplate or loadWorkflow",
      })
    }
  })

  it("lists the workers of this process, those that stop left out", async () => {
    const tasker = await open()
    expect(tasker.workers).toEqual([])
    const worker = await tasker.startWorker({ name: "one", concurrency: 7 })
    const other = await tasker.startWorker({ name: "two", lanes: 1 })
    expect(tasker.workers.map(({ name, concurrency }) => [name, concurrency])).toEqual([
      ["one", 7],
      ["two", 50],
    ])
    await worker.stop()
    expect(tasker.workers).toEqual([other])
  })

  it("tells how long the calls of its workers, its client and its handlers take", async () => {
    const tasker = await open()
    const operations = new Set<string>()
    const stop = tasker.onDatabaseCall(({ operation }) => operations.add(operation))
    await tasker.startWorker({ leaseMs: 1_000 })
    await runTask(tasker, echo, { text: "hello" })
    expect([...operations]).toEqual(expect.arrayContaining(["register_worker", "create_tasks", "advance"]))
    stop()
    operations.clear()
    await tasker.listQueues()
    expect([...operations]).toEqual([])
  })

  it("notifications: false takes no connection to listen by, and tells nobody", async () => {
    // The listener ends its self-test with "unlisten".
    const listening = () => backends(`%listen "%`)
    const before = await listening()
    const quiet = await open({ notifications: false })
    expect(await listening()).toBe(before)
    await open()
    expect(await listening()).toBe(before + 1)
    expect(await backends("%pg_notify%")).toBe(0)
    await quiet.createTask(echo, { text: "psst" })
    expect(await backends("%pg_notify%")).toBe(0)
  })

  it("a worker that the pool cannot carry is refused", async () => {
    const tasker = await open({ poolSize: 7 })
    await tasker.startWorker()
    const second = tasker.startWorker({ lanes: 3 })
    await expect(second).rejects.toMatchObject({
      code: "TASKER_CONFIG_INVALID",
      message: "expected 5 free connections for a worker of 3 lanes, got 4",
    })
    await expect(tasker.startWorker({ lanes: 2 })).resolves.toMatchObject({ connectionCount: 3 })
  })

  it("a crowd that takes the whole pool does not keep a worker from living", async () => {
    const tasker = await open({ poolSize: 5 })
    const worker = await tasker.startWorker({ leaseMs: 1_000 })
    const heartbeatAt = async () =>
      (await tasker.listWorkers()).find(({ workerId }) => workerId === worker.workerId)?.heartbeatAt
    const before = await heartbeatAt()
    let isOver = false
    const crowd = Array.from({ length: 20 }, async () => {
      while (!isOver) await tasker.countTasks()
    })
    await expect.poll(heartbeatAt).not.toEqual(before)
    isOver = true
    await Promise.all(crowd)
  })

  it("close may be called twice; afterwards everything is refused", async () => {
    const tasker = await open()
    const waiting = tasker.waitForTask(await tasker.createTask(echo, { text: "never run" }))
    const refused = expect(waiting).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    const nonsense = tasker.close({ timeoutMs: -1 })
    await expect(nonsense).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    await Promise.all([tasker.close(), tasker.close()])
    await refused
    await expect(tasker.startWorker()).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await expect(tasker.createTask(echo, { text: "too late" })).rejects.toMatchObject({ code: "TASKER_CLOSED" })
  })

  it("the logger hears of steps that a stopping worker hands back", async () => {
    const warnings: string[] = []
    const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) }
    const gate = createGate()
    const held = defineWorkflow({ name: "held_back", version: "1.0.0" }).step("wait", { handler: () => gate.pass() })
    const tasker = await open({ workflows: [held], logger })
    const worker = await tasker.startWorker()
    await tasker.createTask(held, null)
    await gate.reached()
    await worker.stop({ timeoutMs: 10 })
    expect(warnings).toEqual(["handed back steps that did not end in time"])
    gate.open()
  })

  describe("startWorker", () => {
    it("refuses options that it does not know or that are out of range", async () => {
      const tasker = await open()
      const options = { concurency: 5, leaseMs: 10, pollMs: 0, lanes: 9, queues: [], name: "" } as WorkerOptions
      await expect(tasker.startWorker(options)).rejects.toMatchObject({
        code: "TASKER_CONFIG_INVALID",
        details: {
          problems: [
            { path: "concurency", hint: 'did you mean "concurrency"?' },
            { path: "leaseMs" },
            { path: "pollMs" },
            { path: "lanes" },
            { path: "queues" },
            { path: "name" },
          ],
        },
      })
    })

    it("is known by its name, lease, concurrency and queues, and holds a connection for each lane and its heartbeat", async () => {
      const tasker = await open()
      const worker = await tasker.startWorker({
        name: "one",
        concurrency: 7,
        leaseMs: 9_000,
        lanes: 3,
        queues: ["default"],
      })
      expect(worker.connectionCount).toBe(4)
      const known = (await tasker.listWorkers()).find(({ workerId }) => workerId === worker.workerId)
      expect(known).toMatchObject({ name: "one", concurrency: 7, leaseMs: 9_000, queues: ["default"], state: "live" })
    })

    it("warns of queues that no workflow uses", async () => {
      const warnings: [Readonly<Record<string, unknown>>, string][] = []
      const logger: Logger = { ...silentLogger, warn: (fields, message) => warnings.push([fields, message]) }
      await (await open({ logger })).startWorker({ queues: ["default", "defualt"] })
      expect(warnings).toEqual([
        [{ unknown: ["defualt"], known: ["default"] }, "no workflow of this process has these queues"],
      ])
    })

    it("runs no more steps at once than its concurrency, and all of them", async () => {
      const gate = createGate()
      let most = 0
      let running = 0
      const counted = defineWorkflow({ name: "counted", version: "1.0.0" }).step("run", {
        handler: async () => {
          running += 1
          most = Math.max(most, running)
          await gate.pass()
          running -= 1
        },
      })
      const tasker = await open({ workflows: [counted] })
      const tasks = await tasker.createTasks(
        counted,
        Array.from({ length: 9 }, () => ({ input: null })),
      )
      const worker = await tasker.startWorker({ concurrency: 3 })
      await gate.reached(3)
      expect(worker.runningCount).toBe(3)
      gate.open()
      await Promise.all(tasks.map((task) => tasker.waitForTask(task)))
      expect(most).toBe(3)
    })

    it("finds what nobody told it of by its poll", async () => {
      const deaf = { notifications: false }
      const worker = await open(deaf)
      await worker.startWorker({ pollMs: 20 })
      const creator = await open(deaf)
      const task = await creator.createTask(echo, { text: "found" })
      expect(await worker.waitForTask(task, { timeoutMs: 10_000 })).toMatchObject({ results: { say: "found" } })
    })
  })
})
