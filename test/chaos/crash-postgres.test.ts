import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertSound } from "./assert-sound.ts"
import { type ChaosServer, crash, startChaosServer } from "./chaos-server.ts"
import { countRuns, repeatedRuns } from "./handler-runs.ts"
import { seededRandom } from "./seeded-random.ts"
import { until } from "./until.ts"
import { startWorkerProcess, stopWorkers } from "./worker-process.ts"

const TASKS_PER_CRASH = 300

describe("a PostgreSQL that stops hard", () => {
  let server: ChaosServer

  beforeAll(async () => {
    server = await startChaosServer("crash")
  })

  afterAll(async () => {
    await server?.close()
  })

  it("takes no worker with it, loses no outcome, and leaves no step stuck", async () => {
    const random = seededRandom("PostgreSQL crash")
    const { tasker, workflows, url } = server
    // Longer than any outage: an outcome that a handler has produced must then be recorded, not produced again.
    const start = (name: string) => startWorkerProcess({ url, name, leaseMs: 60_000, stepMs: 40, reportsRuns: true })
    const workers = await Promise.all([start("a"), start("b")])
    let created = 0

    for (const signal of ["SIGQUIT", "SIGKILL"] as const) {
      // Anew in each round, so that there is work to crash in the middle of.
      const inputs = Array.from({ length: TASKS_PER_CRASH }, (_task, number) => ({ input: { number } }))
      created += (await tasker.createTasks(workflows.order, inputs)).length
      const ran = countRuns(workers) + 200 + random.below(300)
      await until("the workers are busy", 20_000, () => countRuns(workers) > ran)
      const before = await completeTasks(server)
      await crash(server, signal)
      // Any query of a Tasker on `embedded:` starts the server again.
      const downAt = performance.now()
      await until("the server answers again", 20_000, () => answers(tasker.countTasks()))
      process.stdout.write(`chaos: PostgreSQL was back ${Math.round(performance.now() - downAt)} ms after ${signal}\n`)
      expect(await completeTasks(server)).toEqual(expect.arrayContaining([...before]))
    }

    await until("all tasks ended", 30_000, async () => (await tasker.countTasks()).states.complete === created)
    expect(workers.map((worker) => worker.isRunning())).toEqual([true, true])
    await stopWorkers(workers)
    expect(repeatedRuns(workers)).toEqual([])
    await assertSound(server)
  }, 90_000)
})

async function answers(query: Promise<unknown>): Promise<boolean> {
  return await query.then(
    () => true,
    () => false,
  )
}

async function completeTasks({ query }: ChaosServer): Promise<readonly string[]> {
  const rows = await query<{ task_id: string }>("select task_id from tasker.tasks where state = 'complete'")
  return rows.map((row) => row.task_id)
}
