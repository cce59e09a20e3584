import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertSound, countCauses } from "./assert-sound.ts"
import { type ChaosServer, startChaosServer } from "./chaos-server.ts"
import { seededRandom } from "./seeded-random.ts"
import { until } from "./until.ts"
import { startWorkerProcess, stopWorkers, type WorkerProcess } from "./worker-process.ts"

const KILLS = 4

describe("workers that are killed", () => {
  let server: ChaosServer

  beforeAll(async () => {
    server = await startChaosServer("kill")
  })

  afterAll(async () => {
    await server?.close()
  })

  it("all tasks end, each result recorded once, while workers die by kill -9 at random times", async () => {
    const random = seededRandom("kill -9")
    const { tasker, workflows, url } = server
    let created = 0
    const create = async (count: number) => {
      created += count
      await tasker.createTasks(
        workflows.order,
        Array.from({ length: count }, (_task, number) => ({ input: { number } })),
      )
    }
    await create(1_000)
    let started = 0
    const start = () => startWorkerProcess({ url, name: `w${++started}` })
    const workers = await Promise.all([start(), start(), start()])
    let kills = 0

    await until("all tasks ended", 60_000, async () => {
      const { states } = await tasker.countTasks()
      if (states.complete === created) {
        if (kills >= KILLS) return true
        // A fast machine has work until so many have died.
        await create(500)
      }
      await pause(100 + random.below(600))
      const victim = random.below(workers.length)
      await replace(workers, victim, start)
      kills++
      return false
    })

    await stopWorkers(workers)
    await assertSound(server)
    const causes = await countCauses(server)
    process.stdout.write(`chaos: ${kills} workers killed; ${JSON.stringify(causes)}\n`)
    // Otherwise nobody died in the middle of anything, and this test has shown nothing.
    expect(causes["worker_lost"]).toBeGreaterThan(0)
  }, 90_000)

  it("a killed worker's step runs again soon after its lease", async () => {
    const { tasker, workflows, url } = server
    const first = await startWorkerProcess({ url, name: "first" })
    const task = await tasker.createTask(workflows.gate, {})
    await first.told("started", ({ taskId, step }) => taskId === task.taskId && step === "hold")
    const second = await startWorkerProcess({ url, name: "second" })

    const killedAt = performance.now()
    first.kill("SIGKILL")
    const again = await second.told("started", ({ taskId, step }) => taskId === task.taskId && step === "hold")
    const recoveryMs = performance.now() - killedAt

    process.stdout.write(
      `chaos: a step of a killed worker ran again after ${Math.round(recoveryMs)} ms, with a lease of 1000 ms\n`,
    )
    expect(again.attempt).toBe(2)
    second.release()
    await tasker.waitForTask(task)
    await stopWorkers([second])
    // The lease, and the third of it that passes between two looks; the rest is for a busy machine.
    expect(recoveryMs).toBeLessThan(5_000)
    await assertSound(server)
  })
})

async function replace(workers: WorkerProcess[], index: number, start: () => Promise<WorkerProcess>): Promise<void> {
  const victim = workers[index]
  victim?.kill("SIGKILL")
  await victim?.ended
  workers[index] = await start()
}

/** How long workers live is the point here: they die at random times. */
async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
