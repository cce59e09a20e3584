import { createTasker, silentLogger, type Tasker } from "@tasker/engine"
import { createGate } from "@tasker/engine/testing"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { type ChaosServer, startChaosServer } from "./chaos-server.ts"
import { type ChaosStep, chaosWorkflows } from "./chaos-workflows.ts"
import { type CuttingProxy, openCuttingProxy } from "./cutting-proxy.ts"

describe("a transactional step that is aborted while it commits", () => {
  let server: ChaosServer
  let proxy: CuttingProxy
  let tasker: Tasker
  let told: string[] = []

  beforeAll(async () => {
    server = await startChaosServer("cut-commits")
  })

  beforeEach(async () => {
    proxy = await openCuttingProxy(server.url)
    told = []
  })

  afterEach(async () => {
    await tasker.close({ timeoutMs: 1_000 })
    await proxy.close()
  })

  afterAll(async () => await server?.close())

  /** Connects through the proxy, and notes what is told. `gate` runs in both steps of the workflow of that name. */
  async function open(gate: (step: ChaosStep) => Promise<void>): Promise<ReturnType<typeof chaosWorkflows>> {
    const workflows = chaosWorkflows({
      work: () => Promise.reject(new Error("no task of this test has such a step")),
      gate: async (step) => {
        await gate(step)
        return { by: "here", attempt: step.attempt }
      },
    })
    tasker = await createTasker({ url: proxy.url, workflows: Object.values(workflows), logger: silentLogger })
    tasker.events.on("step.*", ({ name, payload }) => void told.push(`${name} ${payload.step}`), { immediate: true })
    tasker.events.on("task.*", ({ name }) => void told.push(name), { immediate: true })
    return workflows
  }

  it("is told as completed, once, when the answer to its commit is lost", async () => {
    const aborted = createGate()
    const committing = createGate()
    const workflows = await open(async ({ stepName, signal }) => {
      if (stepName !== "hold_and_write") return
      signal.addEventListener("abort", () => void aborted.pass(), { once: true })
      await committing.pass()
    })
    const ended = new Promise<void>((resolve) => void tasker.events.on("task.completed", () => resolve()))
    // It beats when it is told to, so that the next commit is the step's.
    await tasker.startWorker({ leaseMs: 60_000 })
    const task = await tasker.createTask(workflows.gate, null)
    await committing.reached()
    const commit = proxy.withhold("commit\0")
    committing.open()
    await commit.answered
    // By a heartbeat, which sees that the step is done, and takes it for somebody else's.
    await server.query("select pg_notify('tasker', 'cancelled')")
    await aborted.reached()
    commit.cut()
    await ended
    expect(told.filter((each) => each === "step.completed hold_and_write")).toHaveLength(1)
    expect(told.filter((each) => each === "task.completed")).toHaveLength(1)
    expect(told).not.toContain("step.fenced hold_and_write")
    expect(await server.query("select step from chaos_effects where task_id = $1", [task.taskId])).toHaveLength(1)
    expect(await tasker.verify()).toEqual([])
  })

  it("is told neither as completed nor as fenced when it was cancelled and rolled back", async () => {
    const running = createGate()
    const workflows = await open(async ({ signal }) => {
      void running.pass()
      await new Promise<void>((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(new Error("gave up")), { once: true }),
      )
    })
    const worker = await tasker.startWorker({ leaseMs: 60_000 })
    const task = await tasker.createTask(workflows.gate, null)
    await running.reached(2)
    await tasker.cancelTask(task)
    // It waits for both, also for the one whose transaction decides.
    await worker.stop()
    await tasker.events.drained()
    expect(told).toContain("step.cancelled hold_and_write")
    expect(told.filter((each) => /fenced|completed|failed/.test(each))).toEqual([])
    expect(await server.query("select step from chaos_effects where task_id = $1", [task.taskId])).toEqual([])
  })
})
