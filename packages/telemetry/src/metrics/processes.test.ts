import type { Tasker } from "@tasker/engine"
import { createTestTasker } from "@tasker/engine/testing"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { sharedDatabaseUrl } from "../test-databases.ts"
import { METRICS } from "./metric-catalogue.ts"
import { valueOf } from "./test-exposition.ts"
import { startTestWorker, type TestWorkerProcess } from "./test-worker-process.ts"
import { testWorkflows } from "./test-workflows.ts"

describe("over several processes", () => {
  const workflows = testWorkflows({ wait: async () => {} })
  let tasker: Tasker
  let workers: readonly TestWorkerProcess[]

  beforeAll(async () => {
    const url = await sharedDatabaseUrl()
    tasker = await createTestTasker({ url, workflows: Object.values(workflows), worker: false })
    workers = await Promise.all(["one", "two"].map((name) => startTestWorker({ url, name })))
  })
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await tasker.close()
  })

  /** The sum over the processes that are there, and what each of them told. */
  async function total(name: keyof typeof METRICS, labels: Readonly<Record<string, string>>, suffix = "") {
    const scrapes = await Promise.all(workers.map((worker) => worker.scrape()))
    const each = scrapes.map((scraped) => valueOf(scraped, `${METRICS[name].name}${suffix}`, labels) ?? 0)
    return { sum: each.reduce((sum, value) => sum + value, 0), each }
  }

  /** What a metric comes to, once each process has the answers of its calls. */
  async function untilTotal(expected: number | undefined, ...given: Parameters<typeof total>): Promise<void> {
    await vi.waitFor(async () => expect((await total(...given)).sum, JSON.stringify(given)).toBe(expected), 10_000)
  }

  /** Runs tasks of every kind to their ends. */
  async function runBatch(): Promise<void> {
    const inputs = (length: number) => Array.from({ length }, () => ({ input: null }))
    const tasks = [
      ...(await tasker.createTasks(workflows.order, inputs(150))),
      ...(await tasker.createTasks(workflows.flaky, inputs(30))),
      ...(await tasker.createTasks(workflows.doomed, inputs(30))),
    ]
    await Promise.allSettled(tasks.map(({ taskId }) => tasker.waitForTask(taskId, { timeoutMs: 20_000 })))
  }

  test("a step that is complete counts once, whoever ran it", { timeout: 120_000 }, async () => {
    const outcomes = ["complete", "skipped", "error"] as const
    // Until both took part: one that gets no processor for a while leaves all steps of a kind to the other.
    let batches = 0
    let areBothIn = false
    while (!areBothIn && batches < 20) {
      await runBatch()
      batches++
      const totals = await Promise.all(outcomes.map((outcome) => total("stepsEnded", { outcome })))
      areBothIn = totals.every(({ each }) => each.every((value) => value > 0))
    }
    expect(areBothIn).toBe(true)

    const [steps, ended] = [await tasker.countSteps(), await tasker.countTasks()]
    const counts = { complete: 480 * batches, skipped: 30 * batches, error: 30 * batches }
    expect(steps.states).toMatchObject({ ...counts, pending: 0, in_progress: 0 })
    for (const outcome of outcomes) {
      await untilTotal(counts[outcome], "stepsEnded", { outcome })
      await untilTotal(counts[outcome], "stepDuration", { outcome }, "_count")
    }
    for (const outcome of ["complete", "error"] as const) {
      await untilTotal(ended.states[outcome], "tasksEnded", { outcome })
      await untilTotal(ended.states[outcome], "taskDuration", { outcome }, "_count")
    }
    await untilTotal(30 * batches, "stepRetries", {})
  })

  test("a step that is taken back from a frozen worker, and from a killed one", async () => {
    const [one, two] = workers
    if (one === undefined || two === undefined) throw new Error("there are two workers")
    const task = await tasker.createTask(workflows.gated, null)
    const holder = await Promise.race([one.waiting.then(() => one), two.waiting.then(() => two)])
    const other = holder === one ? two : one
    // It is alive and silent: its lease runs out, and the other worker gets the step.
    holder.signal("SIGSTOP")
    await other.waiting
    holder.signal("SIGCONT")
    holder.release()
    await vi.waitFor(async () => {
      expect(valueOf(await holder.scrape(), METRICS.workerLeasesLost.name)).toBeGreaterThanOrEqual(1)
      expect(valueOf(await other.scrape(), METRICS.workersLost.name)).toBeGreaterThanOrEqual(1)
    }, 10_000)
    expect((await total("workerHeartbeats", {})).each.every((value) => value > 0)).toBe(true)
    // On a busy machine a lease may run out that nobody meant to, so the history says how often it did.
    const history = await tasker.getHistory(task)
    const rescues = history.filter(({ cause, step }) => cause === "worker_lost" && step === "wait").length
    expect(rescues).toBeGreaterThanOrEqual(1)
    await untilTotal(rescues, "stepsRescued", { step: "wait" })

    other.signal("SIGKILL")
    await other.stop()
    workers = [holder]
    // Its step is taken back, runs here, and counts once.
    await vi.waitFor(
      async () => {
        const counted = await total("stepsEnded", { workflow: "gated", outcome: "complete" })
        expect(counted.sum).toBe(2)
      },
      { timeout: 20_000, interval: 100 },
    )
    expect((await total("stepsRescued", { step: "wait" })).sum).toBeGreaterThanOrEqual(1)
  })
})
