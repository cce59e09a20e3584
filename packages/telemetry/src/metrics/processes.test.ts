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

  test("a step that is complete counts once, whoever ran it", async () => {
    const tasks = [
      ...(await tasker.createTasks(
        workflows.order,
        Array.from({ length: 150 }, () => ({ input: null })),
      )),
      ...(await tasker.createTasks(
        workflows.flaky,
        Array.from({ length: 30 }, () => ({ input: null })),
      )),
      ...(await tasker.createTasks(
        workflows.doomed,
        Array.from({ length: 30 }, () => ({ input: null })),
      )),
    ]
    await Promise.allSettled(tasks.map(({ taskId }) => tasker.waitForTask(taskId, { timeoutMs: 20_000 })))

    const [steps, ended] = [await tasker.countSteps(), await tasker.countTasks()]
    expect(steps.states).toMatchObject({ complete: 150 * 3 + 30, skipped: 30, error: 30, pending: 0, in_progress: 0 })
    for (const outcome of ["complete", "skipped", "error"] as const) {
      const { sum, each } = await total("stepsEnded", { outcome })
      expect(sum, outcome).toBe(steps.states[outcome])
      expect(
        each.every((value) => value > 0),
        `both took part: ${each.join(", ")}`,
      ).toBe(true)
      expect((await total("stepDuration", { outcome }, "_count")).sum, outcome).toBe(steps.states[outcome])
    }
    for (const outcome of ["complete", "error"] as const) {
      expect((await total("tasksEnded", { outcome })).sum, outcome).toBe(ended.states[outcome])
      expect((await total("taskDuration", { outcome }, "_count")).sum, outcome).toBe(ended.states[outcome])
    }
    expect((await total("stepRetries", {})).sum).toBe(30)
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
    }, 10_000)
    expect(valueOf(await other.scrape(), METRICS.workersLost.name)).toBeGreaterThanOrEqual(1)
    expect((await total("workerHeartbeats", {})).each.every((value) => value > 0)).toBe(true)
    // On a busy machine a lease may run out that nobody meant to, so the history says how often it did.
    const history = await tasker.getHistory(task)
    const rescues = history.filter(({ cause, step }) => cause === "worker_lost" && step === "wait").length
    expect(rescues).toBeGreaterThanOrEqual(1)
    expect((await total("stepsRescued", { step: "wait" })).sum).toBe(rescues)

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
