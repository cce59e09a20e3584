import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { createTestBench, diamond, errorJson, single, type TestBench } from "./test-bench.ts"

describe.each(testDatabases(migrate))("on $kind", ({ open }) => {
  let bench: TestBench
  let close: () => Promise<void>
  let taskId: string
  const note = { by: "alice", reason: "because" }

  beforeAll(async () => {
    const opened = await open()
    close = () => opened.close()
    bench = await createTestBench(opened.database, [diamond, single])
  })

  afterAll(() => close())

  beforeEach(async () => {
    await bench.drain()
    ;({ taskId } = await bench.client.createTask(diamond, { n: 1 }))
    bench.announced.length = 0
  })

  afterEach(async () => {
    expect(await bench.client.verify()).toEqual([])
  })

  /** Fails the step "left" for good, with "right" done. */
  async function fail(): Promise<void> {
    await bench.drain((_, name) => (name === "left" ? { kind: "error", json: errorJson("no") } : {}))
    expect(await stateOf("left")).toBe("error")
  }

  async function stateOf(name: string): Promise<string | undefined> {
    return (await bench.client.getSteps(taskId)).find((step) => step.name === name)?.state
  }

  async function lastTransition() {
    return (await bench.client.getHistory(taskId)).at(-1)
  }

  test("cancelTask ends it, once, and says who and why", async () => {
    await bench.run(taskId, "start")
    await bench.claim()
    expect(await bench.client.cancelTask(taskId, note)).toEqual({ changed: true })
    expect(bench.announced).toEqual(["cancelled", "ended"])
    expect(await bench.client.cancelTask(taskId, note)).toEqual({ changed: false })
    expect(await lastTransition()).toMatchObject({ step: null, to: "cancelled", ...note })
    // What the worker still returns is refused.
    await bench.drain()
    expect(await stateOf("left")).toBe("cancelled")
  })

  test("pauseTask and resumeTask hold its steps back and give them free", async () => {
    expect(await bench.client.pauseTask(taskId, note)).toEqual({ changed: true })
    expect(await bench.client.pauseTask(taskId, note)).toEqual({ changed: false })
    expect((await bench.client.getTask(taskId)).pausedAt).toBeInstanceOf(Date)
    expect(await bench.claim()).toEqual([])
    expect(bench.announced).toEqual(["moved"])
    expect(await bench.client.resumeTask(taskId, note)).toEqual({ changed: true })
    expect(await bench.client.resumeTask(taskId, note)).toEqual({ changed: false })
    expect(bench.announced).toEqual(["moved", "ready"])
    expect(await bench.claim()).toHaveLength(1)
  })

  test("retryStep gives a failed step its attempts again, and the task goes on", async () => {
    await fail()
    expect(await bench.client.retryStep(taskId, "left", note)).toEqual({ changed: true })
    expect(await bench.client.retryStep(taskId, "left", note)).toEqual({ changed: false })
    await bench.drain()
    expect(await bench.client.getTask(taskId)).toMatchObject({ state: "complete", openStepCount: 0 })
    await expect(bench.client.retryStep(taskId, "left", note)).rejects.toMatchObject({
      code: "TASKER_TRANSITION_INVALID",
      message: `task ${taskId} is complete and cannot be retried`,
      details: { taskId, step: "left", state: "complete" },
    })
  })

  test("retryStep ends the wait of a step that waits for its retry", async () => {
    await bench.run(taskId, "start", { kind: "retry", json: errorJson("busy"), delayMs: 3_600_000 })
    expect(await bench.claim()).toEqual([])
    expect(await bench.client.retryStep(taskId, "start", note)).toEqual({ changed: true })
    expect(await bench.claim()).toMatchObject([{ taskId, attempt: 2 }])
  })

  test("retryTask retries every failed step", async () => {
    await fail()
    expect(await bench.client.retryTask(taskId, note)).toEqual({ changed: true })
    expect(await bench.client.retryTask(taskId, note)).toEqual({ changed: false })
    await bench.drain()
    expect(await bench.client.getTask(taskId)).toMatchObject({ state: "complete" })
  })

  test("skipStep lets the task go on without it, when it may be skipped", async () => {
    await bench.run(taskId, "start")
    expect(await bench.client.skipStep(taskId, "right", note)).toEqual({ changed: true })
    expect(await bench.client.skipStep(taskId, "right", note)).toEqual({ changed: false })
    await expect(bench.client.skipStep(taskId, "left", note)).rejects.toMatchObject({
      code: "TASKER_STEP_NOT_SKIPPABLE",
    })
    await expect(bench.client.skipStep(taskId, "start", note)).rejects.toMatchObject({
      code: "TASKER_STEP_NOT_SKIPPABLE",
    })
    await bench.drain()
    expect(await bench.client.getTask(taskId)).toMatchObject({ state: "complete" })
  })

  test("resolveStep gives it a result, and the task goes on", async () => {
    await fail()
    expect(await bench.client.resolveStep(taskId, "left", { result: { by: "hand" }, ...note })).toEqual({
      changed: true,
    })
    expect(await bench.client.resolveStep(taskId, "left", note)).toEqual({ changed: false })
    expect(bench.announced).toEqual(["ready", "ended"])
    const [end] = await bench.claim()
    expect(end?.results).toEqual({ 1: { by: "hand" }, 2: null })
    await expect(bench.client.resolveStep(taskId, "end", note)).rejects.toMatchObject({
      code: "TASKER_TRANSITION_INVALID",
      message: `step "end" of task ${taskId} is in_progress and cannot be resolved`,
      hint: "wait until what runs has ended, or cancel the task",
      details: { state: "in_progress" },
    })
    // What a user without a compiler may pass.
    const wrong = { result: 1n } as unknown as { result: number }
    await expect(bench.client.resolveStep(taskId, "end", wrong)).rejects.toMatchObject({
      code: "TASKER_RESULT_INVALID",
    })
  })

  test("resolveTask closes a failed task, and no other", async () => {
    await expect(bench.client.resolveTask(taskId, note)).rejects.toMatchObject({ code: "TASKER_TRANSITION_INVALID" })
    await fail()
    await expect(bench.client.cancelTask(taskId)).rejects.toMatchObject({ code: "TASKER_TRANSITION_INVALID" })
    expect(await bench.client.resolveTask(taskId, note)).toEqual({ changed: true })
    expect(await bench.client.resolveTask(taskId, note)).toEqual({ changed: false })
    await expect(bench.client.retryTask(taskId)).rejects.toMatchObject({ code: "TASKER_TRANSITION_INVALID" })
    expect(await bench.client.getExecutionContext(taskId)).toMatchObject({
      executionStatus: "all_complete",
      healthStatus: "healthy",
    })
  })

  test("all of them refuse what there is not, and say what it may have been", async () => {
    const missing = "01900000-0000-7000-8000-000000000000"
    for (const call of ["cancelTask", "pauseTask", "resumeTask", "retryTask", "resolveTask"] as const) {
      await expect(bench.client[call](missing, note)).rejects.toMatchObject({
        code: "TASKER_TASK_NOT_FOUND",
        details: { taskId: missing },
      })
      await expect(bench.client[call]("no", note)).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
      await expect(bench.client[call](taskId, { by: "" })).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
      // What a user without a compiler may pass.
      await expect(bench.client[call](taskId, { who: "me" } as object)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
      })
    }
    for (const call of ["retryStep", "skipStep", "resolveStep"] as const) {
      await expect(bench.client[call](missing, "left", note)).rejects.toMatchObject({ code: "TASKER_TASK_NOT_FOUND" })
      for (const wrong of ["lefft", "Left"]) {
        await expect(bench.client[call](taskId, wrong, note)).rejects.toMatchObject({
          code: "TASKER_STEP_NOT_FOUND",
          hint: 'did you mean "left"?',
          details: { taskId, step: wrong, steps: ["start", "left", "right", "end"] },
        })
      }
    }
  })

  test("queues are paused, limited and listed, used or not", async () => {
    const { client } = bench
    expect(await client.pauseQueue("mail", note)).toEqual({ changed: true })
    expect(await client.pauseQueue("mail", note)).toEqual({ changed: false })
    expect(await client.limitQueue("mail", 3)).toEqual({ changed: true })
    expect(await client.limitQueue("mail", 3)).toEqual({ changed: false })
    await bench.run(taskId, "start")
    await bench.claim(1)
    const delayed = await client.createTask(single, { a: 1 }, { runAt: new Date(Date.now() + 3_600_000) })
    await client.createTask(single, { a: 1 })
    expect(await client.listQueues()).toEqual([
      {
        name: "mail",
        maxRunning: 3,
        pausedAt: expect.any(Date),
        pausedBy: "alice",
        pauseReason: "because",
        readySteps: 0,
        delayedSteps: 0,
        heldSteps: 0,
        runningSteps: 0,
        oldestReadyAt: null,
        liveWorkers: 0,
      },
      {
        name: "shop",
        maxRunning: null,
        pausedAt: null,
        pausedBy: null,
        pauseReason: null,
        readySteps: expect.any(Number),
        delayedSteps: 1,
        heldSteps: 0,
        runningSteps: expect.any(Number),
        oldestReadyAt: expect.any(Date),
        liveWorkers: 1,
      },
    ])
    const shop = (await client.listQueues()).find(({ name }) => name === "shop")
    expect(await client.measureQueues()).toEqual([
      {
        name: "mail",
        maxRunning: 3,
        isPaused: true,
        readySteps: 0,
        delayedSteps: 0,
        oldestReadySeconds: null,
        liveWorkers: 0,
      },
      {
        name: "shop",
        maxRunning: null,
        isPaused: false,
        readySteps: shop?.readySteps,
        delayedSteps: 1,
        oldestReadySeconds: expect.any(Number),
        liveWorkers: 1,
      },
    ])
    expect((await client.measureQueues({ countLimit: 1 }))[1]?.readySteps).toBe(Math.min(1, shop?.readySteps ?? 0))
    await expect(client.measureQueues({ countLimit: 0 })).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    // start's two children and a single: one runs, or two where the last finish handed one on.
    expect((shop?.readySteps ?? 0) + (shop?.runningSteps ?? 0)).toBe(3)
    await client.cancelTask(delayed)
    expect(await client.resumeQueue("mail", note)).toEqual({ changed: true })
    expect(await client.resumeQueue("mail", note)).toEqual({ changed: false })
    for (const wrong of [0, 1.5, "3", undefined]) {
      // What a user without a compiler may pass.
      await expect(client.limitQueue("mail", wrong as number)).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    }
    await expect(client.pauseQueue("No", note)).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
  })

  test("workers are listed with their state and what they hold", async () => {
    await bench.drain()
    expect(await bench.client.listWorkers()).toEqual([
      {
        workerId: bench.workerId,
        name: "test",
        host: "here",
        pid: 1,
        state: "live",
        concurrency: 100,
        leaseMs: 600_000,
        queues: ["shop"],
        runningSteps: 0,
        startedAt: expect.any(Date),
        heartbeatAt: expect.any(Date),
        endedAt: null,
      },
    ])
    await expect(bench.client.listWorkers({ limit: 0 })).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
  })
})
