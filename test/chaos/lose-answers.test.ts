import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertSound, countCauses } from "./assert-sound.ts"
import { type ChaosServer, startChaosServer } from "./chaos-server.ts"
import { openCuttingProxy } from "./cutting-proxy.ts"
import { completions, repeatedRuns } from "./handler-runs.ts"
import { seededRandom } from "./seeded-random.ts"
import { until } from "./until.ts"
import { startWorkerProcess, stopWorkers } from "./worker-process.ts"

const TASKS = 300

describe("answers that are lost on their way", () => {
  let server: ChaosServer

  beforeAll(async () => {
    server = await startChaosServer("answers")
  })

  afterAll(async () => {
    await server?.close()
  })

  it("cost no outcome and leave no step stuck, whether their statement was committed or not", async () => {
    const random = seededRandom("lost answers")
    const { tasker, workflows, url } = server
    const proxy = await openCuttingProxy(url)
    // So long that no lease runs out: what was claimed unheard must be given back by the worker itself.
    const start = (name: string) => startWorkerProcess({ url: proxy.url, name, leaseMs: 600_000, reportsRuns: true })
    const workers = await Promise.all([start("a"), start("b")])
    await tasker.createTasks(
      workflows.order,
      Array.from({ length: TASKS }, (_task, number) => ({ input: { number } })),
    )
    proxy.cutWhen(() => random.next() < 0.02)

    const isOver = async () => (await tasker.countTasks()).states.complete === TASKS
    try {
      await until("all tasks ended", 60_000, isOver)
    } finally {
      proxy.cutWhen(() => false)
    }
    // A worker that has lost an answer finds out what came of its calls, and tells it then: the task may have ended by other means.
    const stepCount = workflows.order.definition.steps.length
    await until("all completions were told", 20_000, () => completions(workers).length >= TASKS * (stepCount + 1))
    await stopWorkers(workers)
    const causes = await countCauses(server)
    process.stdout.write(`chaos: ${proxy.cutCount()} answers lost; ${JSON.stringify(causes)}\n`)
    expect(proxy.cutCount()).toBeGreaterThanOrEqual(3)
    expect(repeatedRuns(workers)).toEqual([])
    // Every completion was published once, by the process that recorded it, heard or unheard.
    const history = await server.tasker.listTasks({ limit: TASKS })
    const steps = workflows.order.definition.steps.map(({ name }) => name)
    const expected = history.tasks.flatMap(({ taskId }) => [...steps, "the task"].map((what) => `${taskId} ${what}`))
    expect(completions(workers).toSorted()).toEqual(expected.toSorted())
    await assertSound(server)
    await proxy.close()
  }, 90_000)
})
