import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertSound, countCauses } from "./assert-sound.ts"
import { type ChaosServer, startChaosServer } from "./chaos-server.ts"
import { until, within } from "./until.ts"
import { startWorkerProcess, stopWorkers } from "./worker-process.ts"

describe("a worker that is frozen past its lease", () => {
  let server: ChaosServer

  beforeAll(async () => {
    server = await startChaosServer("freeze")
  })

  afterAll(async () => {
    await server?.close()
  })

  it.each([
    { what: "its heartbeat comes first", leaseMs: 5_000 },
    // It beats every 200 s, so that its results reach the database before it can know that it was given up.
    { what: "its results come first", leaseMs: 600_000 },
  ])(
    "has its late results refused, and goes on under a new id, when $what",
    async ({ leaseMs }) => {
      const { tasker, workflows, url } = server
      const lostBefore = (await countCauses(server))["worker_lost"] ?? 0
      const frozen = await startWorkerProcess({ url, name: "frozen", leaseMs })
      const task = await tasker.createTask(workflows.gate, {})
      await Promise.all(["hold", "hold_and_write"].map((name) => frozen.told("started", ({ step }) => step === name)))
      const oldId = await idOf(server, "frozen")

      frozen.kill("SIGSTOP")
      // The long lease runs out by the database's clock, which alone counts.
      if (leaseMs > 5_000)
        await server.query("update tasker.workers set heartbeat_at = now() - interval '1 day' where worker_id = $1", [
          oldId,
        ])
      // A lease that a busy machine does not lose: only the frozen worker's may run out.
      const other = await startWorkerProcess({ url, name: "other", leaseMs: 5_000 })
      const taken = (name: string) => other.told("started", ({ step, attempt }) => step === name && attempt === 2)
      await within("the other worker took both steps", 30_000, Promise.all([taken("hold"), taken("hold_and_write")]))

      // While the other still runs them, so that the results of the first come to steps that are in progress.
      frozen.release()
      frozen.kill("SIGCONT")
      const newId = await until("the frozen worker is back under another id", 30_000, async () => {
        const id = await idOf(server, "frozen")
        return id !== oldId && id
      })
      expect(await runningStates(server, task.taskId)).toEqual(["in_progress", "in_progress"])
      other.release()
      const { results } = await within("the task ended", 30_000, tasker.waitForTask(task))
      expect(results).toEqual({ hold: { by: "other", attempt: 2 }, hold_and_write: { by: "other", attempt: 2 } })
      expect(await server.query("select by from chaos_effects where task_id = $1", [task.taskId])).toEqual([
        { by: "other" },
      ])

      await stopWorkers([other])
      const next = await tasker.createTask(workflows.gate, {})
      const after = await within("the worker that was frozen ran a task", 30_000, tasker.waitForTask(next))
      expect(after.results).toMatchObject({ hold: { by: "frozen", attempt: 1 } })
      expect(await idsThatRan(server, next.taskId)).toEqual([newId])
      await stopWorkers([frozen])
      expect(await countCauses(server)).toEqual({ worker_lost: lostBefore + 2 })
      await assertSound(server)
    },
    120_000,
  )
})

async function idOf({ query }: ChaosServer, name: string): Promise<number | undefined> {
  const [row] = await query<{ worker_id: number }>(
    "select worker_id from tasker.workers where name = $1 and lost_at is null and stopped_at is null",
    [name],
  )
  return row?.worker_id
}

async function runningStates({ query }: ChaosServer, taskId: string): Promise<readonly string[]> {
  const rows = await query<{ state: string }>("select state::text from tasker.steps where task_id = $1", [taskId])
  return rows.map(({ state }) => state)
}

async function idsThatRan({ query }: ChaosServer, taskId: string): Promise<readonly number[]> {
  const rows = await query<{ worker_id: number }>(
    "select distinct worker_id from tasker.transitions where task_id = $1 and worker_id is not null",
    [taskId],
  )
  return rows.map((row) => row.worker_id)
}
