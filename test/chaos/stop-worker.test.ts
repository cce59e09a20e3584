import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertSound, countCauses } from "./assert-sound.ts"
import { type ChaosServer, startChaosServer } from "./chaos-server.ts"
import { until, within } from "./until.ts"
import { startWorkerProcess, stopWorkers } from "./worker-process.ts"

describe("a worker that gets SIGTERM", () => {
  let server: ChaosServer

  beforeAll(async () => {
    server = await startChaosServer("stop")
  })

  afterAll(async () => {
    await server?.close()
  })

  it("records what ends in time, hands back the rest at once, and exits with 0", async () => {
    const { tasker, workflows, url } = server
    // A lease so long that only a hand-over can explain that another worker gets its steps.
    const leaseMs = 600_000
    const stopping = await startWorkerProcess({
      url,
      name: "stopping",
      leaseMs,
      stepMs: 100,
      stopMs: 2_000,
      reportsRuns: true,
    })
    const held = await tasker.createTask(workflows.gate, {})
    await Promise.all(["hold", "hold_and_write"].map((name) => stopping.told("started", ({ step }) => step === name)))
    await tasker.createTasks(
      workflows.order,
      Array.from({ length: 300 }, (_task, number) => ({ input: { number } })),
    )
    await until("it is in the middle of the tasks", 15_000, () => ranSteps(stopping.messages).length > 200)

    const stoppedAt = performance.now()
    stopping.kill("SIGTERM")
    expect(await within("it ended", 15_000, stopping.ended), stopping.log()).toBe(0)
    process.stdout.write(
      `chaos: a worker with held steps stopped ${Math.round(performance.now() - stoppedAt)} ms after SIGTERM\n`,
    )

    const { states } = await tasker.countTasks()
    expect(states.complete).toBeLessThan(301)
    expect(await server.query("select * from tasker.step_queue where worker_id is not null")).toEqual([])
    expect(await server.query("select name from tasker.workers where stopped_at is null")).toEqual([])
    // Their handlers take a tenth of a second and had two: each that ran was recorded, or it would have run for nothing.
    expect(await completedSteps(server)).toEqual(ranSteps(stopping.messages))
    expect((await countCauses(server))["handed_back"]).toBeGreaterThanOrEqual(2)

    const next = await startWorkerProcess({ url, name: "next", leaseMs })
    const again = await within(
      "another got the held step",
      5_000,
      next.told("started", ({ step }) => step === "hold"),
    )
    expect(again).toMatchObject({ taskId: held.taskId, attempt: 2 })
    next.release()
    await until("all tasks ended", 20_000, async () => (await tasker.countTasks()).states.complete === 301)
    await stopWorkers([next])
    await assertSound(server)
  })
})

type Messages = Awaited<ReturnType<typeof startWorkerProcess>>["messages"]

/** Transactional ones aside: they are recorded after their handler, in a transaction that the deadline may cut off. */
function ranSteps(messages: Messages): readonly string[] {
  return messages
    .flatMap((message) =>
      message.event === "ran" && message.step !== "write" ? `${message.taskId} ${message.step}` : [],
    )
    .toSorted((a, b) => (a < b ? -1 : 1))
}

async function completedSteps({ query }: ChaosServer): Promise<readonly string[]> {
  const rows = await query<{ step: string }>(`
    select format('%s %s', step.task_id, definition.name) as step
    from tasker.steps as step
    join tasker.tasks as task using (task_id)
    join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.step_no = step.step_no
    where step.state = 'complete' and definition.name <> 'write'`)
  return rows.map(({ step }) => step).toSorted((a, b) => (a < b ? -1 : 1))
}
