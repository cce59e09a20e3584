import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import { silentLogger } from "../core/logger.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { testDatabase, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { createTasker, type Tasker, type TaskerOptions } from "../tasker.ts"
import { createGate } from "../testing.ts"

describe("a worker", () => {
  let opened: TestDatabase
  let tasker: Tasker

  beforeAll(async () => {
    opened = await testDatabase("postgres 18", migrate).open()
  })
  afterEach(async () => await tasker.close({ timeoutMs: 100 }))
  afterAll(async () => await opened.close())

  async function open(workflow: AnyWorkflow, options: TaskerOptions = {}): Promise<void> {
    tasker = await createTasker({ url: opened.url, logger: silentLogger, workflows: [workflow], ...options })
  }

  test("does not sit on room that it left for a child which is not ready yet", async () => {
    const workflow = defineWorkflow({ name: "diamond", version: "1.0.0" })
      .step("late", { handler: () => null })
      .step("urgent", { priority: 1, handler: () => null })
      .step("both", { dependsOn: ["late", "urgent"], handler: () => null })
    await open(workflow)
    const task = await tasker.createTask(workflow, {})
    await tasker.startWorker({ concurrency: 1, lanes: 1, pollMs: 60_000 })
    await tasker.waitForTask(task, { timeoutMs: 5_000 })
  })

  test("whose lane is full has the other one look for the rest at once", async () => {
    const gate = createGate()
    const workflow = defineWorkflow({ name: "two_lanes", version: "1.0.0" }).step("held", {
      handler: async () => await gate.pass(),
    })
    await open(workflow)
    await tasker.createTasks(workflow, [{ input: null }, { input: null }])
    await tasker.startWorker({ concurrency: 2, lanes: 2, pollMs: 60_000 })
    await gate.reached(2)
    gate.open()
  })

  test("keeps a result while the database refuses it for reasons of its own", async () => {
    const gate = createGate()
    const workflow = defineWorkflow({ name: "precious", version: "1.0.0" }).step("only", {
      handler: async () => {
        await gate.pass()
        return "precious"
      },
    })
    const url = new URL(opened.url)
    url.searchParams.set("options", "-c lock_timeout=50")
    await open(workflow, { url: url.href })
    const task = await tasker.createTask(workflow, {})
    await tasker.startWorker()
    await gate.reached()
    await opened.database.transaction(async (tx) => {
      await tx.query({ text: "select from tasker.tasks where task_id = $1 for update", values: [task.taskId] })
      gate.open()
      await new Promise((resolve) => setTimeout(resolve, 500))
    })
    expect((await tasker.waitForTask(task, { timeoutMs: 10_000 })).results.only).toBe("precious")
  })

  test("does not start a transactional step that was cancelled while it waited for its turn", async () => {
    const gate = createGate()
    const started: string[] = []
    const workflow = defineWorkflow({ name: "taking_turns", version: "1.0.0" }).step("only", {
      transactional: true,
      handler: async ({ taskId }) => {
        started.push(taskId)
        await gate.pass()
      },
    })
    // One lane, one heartbeat, one for the client: one is left for transactions.
    await open(workflow, { poolSize: 4 })
    const tasks = [await tasker.createTask(workflow, {}), await tasker.createTask(workflow, {})]
    await tasker.startWorker({ lanes: 1 })
    await expect.poll(async () => (await tasker.getSteps(tasks[1]!))[0]?.state).toBe("in_progress")
    await gate.reached()
    const waiting = tasks.find(({ taskId }) => taskId !== started[0])!
    const heartbeat = new Promise<void>(
      (resolve) => void tasker.onDatabaseCall(({ operation }) => operation === "heartbeat" && resolve()),
    )
    await tasker.cancelTask(waiting)
    // The one that the cancellation asks for; the next regular one is ten seconds away. Then its turn comes.
    await heartbeat
    await new Promise(setImmediate)
    gate.open()
    await tasker.close()
    expect(started).toHaveLength(1)
  })

  test("that is being started when its Tasker closes is stopped too", async () => {
    const workflow = defineWorkflow({ name: "racing", version: "1.0.0" }).step("only", { handler: () => null })
    await open(workflow)
    const starting = tasker.startWorker()
    const refused = expect(starting).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await tasker.close()
    await refused
    const live = await opened.database.query({
      text: "select from tasker.workers where stopped_at is null and lost_at is null",
    })
    expect(live).toHaveLength(0)
  })

  test("counts for the pool while another is being started", async () => {
    const workflow = defineWorkflow({ name: "crowding", version: "1.0.0" }).step("only", { handler: () => null })
    await open(workflow, { poolSize: 5 })
    const [first, second] = await Promise.allSettled([tasker.startWorker(), tasker.startWorker()])
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"])
    expect(second).toMatchObject({ reason: { code: "TASKER_CONFIG_INVALID" } })
  })
})
