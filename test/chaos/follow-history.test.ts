import type { Feed } from "@tasker/engine"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { assertSound } from "./assert-sound.ts"
import { type ChaosServer, crash, startChaosServer } from "./chaos-server.ts"
import { seededRandom } from "./seeded-random.ts"
import { until } from "./until.ts"
import { startWorkerProcess, stopWorkers, type WorkerProcess } from "./worker-process.ts"

const EVENTS = ["task.initialize_requested", "task.start_requested", "task.completed"]

describe("following history while processes and PostgreSQL die", () => {
  let server: ChaosServer

  beforeAll(async () => {
    server = await startChaosServer("follow")
    await server.query(`
      create table chaos_handled (
        ordinal bigint generated always as identity, task_id uuid not null, event text not null, pid integer not null)`)
  })

  afterAll(async () => {
    await server?.close()
  })

  async function createTasks(count: number): Promise<readonly string[]> {
    const { tasker, workflows } = server
    const inputs = Array.from({ length: count }, (_task, number) => ({ input: { number } }))
    return (await tasker.createTasks(workflows.order, inputs)).map(({ taskId }) => taskId)
  }

  /** What a feed gave of each task. */
  function collect(feed: Feed): { readonly given: readonly string[] } {
    const given: string[] = []
    void (async () => {
      for await (const { name, payload } of feed) {
        if (EVENTS.includes(name) && "taskId" in payload) given.push(`${payload.taskId} ${name}`)
      }
    })()
    return { given }
  }

  it("a feed gives each event once, in order, although workers and the server are killed", async () => {
    const random = seededRandom("feed")
    const { tasker, url } = server
    const feed = tasker.events.follow({ pollMs: 200 })
    await feed.start()
    const { given } = collect(feed)
    const start = (name: string) => startWorkerProcess({ url, name, leaseMs: 1_000 })
    const workers = [await start("a"), await start("b")]
    const taskIds: string[] = []
    for (const signal of ["SIGKILL", "SIGQUIT"] as const) {
      // Anew in each round: a fast worker has ended all others by the time that the next one has started.
      taskIds.push(...(await createTasks(300)))
      const seen = given.length + 100 + random.below(200)
      await until("the feed gives more", 30_000, () => given.length > seen)
      const victim = workers.shift()
      victim?.kill("SIGKILL")
      await victim?.ended
      await crash(server, signal)
      await until(
        "the server answers again",
        30_000,
        async () =>
          await tasker.countTasks().then(
            () => true,
            () => false,
          ),
      )
      workers.push(await start(`after ${signal}`))
    }
    const countEnds = () => given.filter((line) => line.endsWith("completed")).length
    await until("all ends were given", 60_000, () => countEnds() >= taskIds.length)
    await feed.return()
    expect(given.toSorted()).toEqual(taskIds.flatMap((taskId) => EVENTS.map((name) => `${taskId} ${name}`)).toSorted())
    for (const taskId of taskIds) {
      const own = given.filter((line) => line.startsWith(taskId)).map((line) => line.slice(taskId.length + 1))
      expect(own).toEqual(EVENTS)
    }
    await stopWorkers(workers)
    await assertSound(server)
  }, 180_000)

  it("a durable subscription handles every event, in one process at a time, while those are killed", async () => {
    const { url } = server
    // A lease that a busy machine does not lose: whoever loses it was killed.
    const subscriber = () => startWorkerProcess({ url, name: "subscriber", subscribes: true, leaseMs: 60_000 })
    const subscribers = await Promise.all([subscriber(), subscriber(), subscriber()])
    const worker = await startWorkerProcess({ url, name: "worker" })
    const taskIds: string[] = []
    for (let kills = 1; kills <= 3; kills++) {
      const holder = await untilHeld(subscribers)
      const before = await countHandled()
      taskIds.push(...(await createTasks(100)))
      await until("it handles some", 30_000, async () => (await countHandled()) > before + 50)
      holder.kill("SIGKILL")
      await holder.ended
      subscribers.splice(subscribers.indexOf(holder), 1, await subscriber())
    }
    await untilHeld(subscribers)
    taskIds.push(...(await createTasks(100)))
    await untilAllHandled(taskIds)
    // Whoever was killed had its turn in one piece; what it had not recorded was handled again.
    const turns = await turnsOf()
    expect(new Set(turns).size).toBe(turns.length)
    expect(turns.length).toBeGreaterThanOrEqual(4)
    await stopWorkers([...subscribers, worker])
  }, 180_000)

  it("a process that was frozen past its lease handles nothing more when it goes on", async () => {
    const { tasker, url } = server
    await server.query("truncate chaos_handled")
    const subscriber = (leaseMs: number) => startWorkerProcess({ url, name: "subscriber", subscribes: true, leaseMs })
    const frozen = await subscriber(1_000)
    const worker = await startWorkerProcess({ url, name: "worker" })
    const taskIds = [...(await createTasks(200))]
    await until("it handles some", 30_000, async () => (await countHandled()) > 20)
    frozen.kill("SIGSTOP")
    // For the next to handle, however late the first was frozen.
    taskIds.push(...(await createTasks(200)))
    // For as long as the test takes: on a busy machine, the one that was frozen could win it back.
    const next = await subscriber(60_000)
    await until("the next handles some", 30_000, async () => (await turnsOf()).includes(next.pid))
    frozen.kill("SIGCONT")
    await untilAllHandled(taskIds)
    const order = await server.query<{ pid: number }>("select pid from chaos_handled order by ordinal")
    const first = order.findIndex(({ pid }) => pid === next.pid)
    // The one that it was about.
    expect(order.slice(first).filter(({ pid }) => pid === frozen.pid).length).toBeLessThanOrEqual(1)
    expect(await tasker.subscriptions.get("audit")).toMatchObject({ failure: null, skippedCount: 0 })
    await stopWorkers([next, frozen, worker])
  }, 180_000)

  async function untilHeld(subscribers: readonly WorkerProcess[]): Promise<WorkerProcess> {
    return await until("one of them holds it", 30_000, async () => {
      const [status] = await server.tasker.subscriptions.list()
      const holder = subscribers.find(
        ({ pid, isRunning }) => isRunning() && status?.holder?.endsWith(`:${pid}`) === true,
      )
      // The lease of one that was killed runs out by the database's clock, which alone counts.
      if (holder === undefined)
        await server.query("update tasker.subscriptions set lease_until = now() where holder = $1", [status?.holder])
      return holder
    })
  }

  async function countHandled(): Promise<number> {
    const [row] = await server.query<{ count: number }>("select count(*)::integer as count from chaos_handled")
    return row?.count ?? 0
  }

  async function untilAllHandled(taskIds: readonly string[]): Promise<void> {
    await until("every event was handled", 120_000, async () => {
      const [row] = await server.query<{ count: number }>(
        `select count(distinct (task_id, event))::integer as count
         from chaos_handled where task_id = any ($1) and event = any ($2)`,
        [taskIds, EVENTS],
      )
      return row?.count === taskIds.length * EVENTS.length
    })
  }

  /** Who handled, one after the other. */
  async function turnsOf(): Promise<readonly number[]> {
    const rows = await server.query<{ pid: number }>("select pid from chaos_handled order by ordinal")
    return rows.map(({ pid }) => pid).filter((pid, index, all) => pid !== all[index - 1])
  }
})
