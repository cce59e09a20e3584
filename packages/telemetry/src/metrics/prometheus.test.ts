import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import type { Tasker } from "@tasker/engine"
import { createTestTasker } from "@tasker/engine/testing"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { sharedDatabaseUrl } from "../test-databases.ts"
import { prometheusPrograms, type RunningPrometheus, runPromtool, startPrometheus } from "./test-prometheus.ts"
import { startTestWorker, type TestWorkerProcess } from "./test-worker-process.ts"
import { testWorkflows } from "./test-workflows.ts"

const ALERTS = fileURLToPath(new URL("../../../../ops/prometheus/", import.meta.url))

const programs = await prometheusPrograms(process.env["CI"] !== undefined)
const promtool = (args: readonly string[], input?: string) =>
  runPromtool(programs?.promtool ?? "", args, { cwd: ALERTS, ...(input === undefined ? {} : { input }) })

describe.skipIf(programs === undefined)("Prometheus", () => {
  const workflows = testWorkflows({ wait: async () => {} })
  let tasker: Tasker
  let workers: readonly TestWorkerProcess[]
  let prometheus: RunningPrometheus

  beforeAll(async () => {
    const url = await sharedDatabaseUrl()
    tasker = await createTestTasker({ url, workflows: Object.values(workflows), worker: false })
    workers = await Promise.all(["one", "two"].map((name) => startTestWorker({ url, name })))
    prometheus = await startPrometheus(programs?.prometheus ?? "", await config(workers))
  })
  afterAll(async () => {
    await prometheus.stop()
    await Promise.all(workers.map((worker) => worker.stop()))
    await tasker.close()
  })

  test("promtool finds nothing to say about what a worker answers", async () => {
    expect(await promtool(["check", "metrics"], (await workers[0]?.text()) ?? "")).toEqual({ code: 0, output: "" })
    const { output } = await promtool(["check", "metrics"], "# HELP bad_ms x\n# TYPE bad_ms counter\nbad_ms 1\n")
    expect(output).toContain("_total")
  })

  test("promtool takes the configuration and the alerts, and their unit tests pass", async () => {
    expect(await promtool(["check", "config", "prometheus.yml"])).toMatchObject({ code: 0 })
    const { code, output } = await promtool(["test", "rules", "alerts.test.yml"])
    expect(code, output).toBe(0)
    expect(output).toContain("SUCCESS")
  })

  async function value(expression: string): Promise<number | undefined> {
    return (await prometheus.query(expression))[0]?.value
  }

  async function become(expression: string, expected: unknown): Promise<void> {
    const isIt = async () => expect(await value(expression), expression).toEqual(expected)
    await vi.waitFor(isIt, { timeout: 20_000, interval: 100 })
  }

  test("scrapes the workers, and answers what the database says", async () => {
    await become("sum(up)", 2)
    // It has seen the counters at 0 before anything happens.
    await become('count(tasker_steps_ended_total{step="send", outcome="complete"} == 0)', 2)

    const requests = Array.from({ length: 100 }, () => ({ input: null }))
    const tasks = [
      ...(await tasker.createTasks(workflows.order, requests)),
      ...(await tasker.createTasks(workflows.flaky, requests.slice(0, 10))),
    ]
    await Promise.allSettled(tasks.map(({ taskId }) => tasker.waitForTask(taskId)))
    const { states } = await tasker.countSteps()
    expect(states).toMatchObject({ complete: 310 })
    await become('sum(tasker_steps_ended_total{outcome="complete"})', states.complete)
    await become('sum(tasker_step_duration_seconds_count{outcome="complete"})', states.complete)
    await become('sum(tasker_step_duration_seconds_count{outcome="retry"})', 10)
    await become("sum(tasker_step_retries_total)", 10)
    await become("sum(tasker_tasks_ended_total)", 110)
    await become('sum(increase(tasker_steps_ended_total{outcome="complete"}[1m])) > bool 250', 1)
    await become('sum(rate(tasker_tasks_ended_total{workflow="order"}[1m])) > bool 0', 1)
    // A rate needs two scrapes that differ: buckets come with their first observation. Each step of "order" but the last
    // takes 2 ms.
    const more = await tasker.createTasks(workflows.order, requests.slice(0, 50))
    await Promise.all(more.map(({ taskId }) => tasker.waitForTask(taskId)))
    const median =
      'histogram_quantile(0.5, sum by (le) (rate(tasker_step_duration_seconds_bucket{workflow="order", step="price"}[1m])))'
    await become(`${median} > bool 0.0005`, 1)
    await become(`${median} < bool 1`, 1)
    await become('max(tasker_queue_steps{queue="shop", state="ready"})', 0)
    await become('max(tasker_queue_live_workers{queue="shop"})', 2)
    await become("sum(tasker_worker_slots)", 8)
    await become('min(rate(tasker_database_call_duration_seconds_count{operation="advance"}[1m])) > bool 0', 1)
  })

  test("evaluates the alerts without an error, and is about to raise one", async () => {
    await become('count(tasker_tasks_ended_total{workflow="doomed", outcome="error"})', 2)
    const tasks = await tasker.createTasks(workflows.doomed, [{ input: null }, { input: null }])
    await Promise.allSettled(tasks.map(({ taskId }) => tasker.waitForTask(taskId)))
    await vi.waitFor(
      async () => {
        const { data } = (await prometheus.api("rules")) as RulesAnswer
        const rules = data.groups.flatMap((group) => group.rules)
        expect(rules.map(({ name, health }) => [name, health])).toEqual([
          ["TaskerTasksFail", "ok"],
          ["TaskerQueueIsSlow", "ok"],
          ["TaskerQueueHasNoWorker", "ok"],
          ["TaskerIsSilent", "ok"],
          ["TaskerStepsAreRescued", "ok"],
          ["TaskerSubscriberFails", "ok"],
        ])
        // It would have to go on for five minutes to be raised.
        const failing = rules.find(({ name }) => name === "TaskerTasksFail")
        expect(failing).toMatchObject({ state: "pending", alerts: [{ labels: { workflow: "doomed" } }] })
      },
      { timeout: 20_000, interval: 100 },
    )
  })
})

interface RulesAnswer {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly { readonly name: string; readonly health: string; readonly state: string }[]
    }[]
  }
}

/** The configuration of `ops/prometheus`, with the workers as its targets, and in a hurry. */
async function config(workers: readonly TestWorkerProcess[]): Promise<string> {
  const shipped = await readFile(`${ALERTS}prometheus.yml`, "utf8")
  const targets = workers.map(({ address }) => `'${address}'`).join(", ")
  return shipped
    .replaceAll("15s", "1s")
    .replace("- alerts.yml", `- ${ALERTS}alerts.yml`)
    .replace(/["']localhost:9464["']/, targets)
}
