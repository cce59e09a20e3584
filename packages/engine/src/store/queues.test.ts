import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { limitQueue } from "./limit-queue.ts"
import { migrate } from "./migrate.ts"
import { at } from "./test-clock.ts"
import { openTransaction, TestStore, type TestWorkflow, untilBlocked } from "./test-store.ts"
import { completed, failed } from "./test-worker.ts"

describe.each(testDatabases(migrate))("queues on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterEach(async () => expect(await store.violations()).toEqual([]))
  afterAll(async () => await opened.close())

  async function createMany(workflow: TestWorkflow, count: number): Promise<void> {
    await store.createTasks(Array.from({ length: count }, () => ({ workflow_id: workflow.workflowId, input: 1 })))
  }

  async function limit(workflow: TestWorkflow, maxRunning: number | null): Promise<boolean> {
    return await limitQueue(opened.database, workflow.queue, maxRunning)
  }

  describe("a limited queue", () => {
    it("runs no more steps than its limit, on all workers together", async () => {
      const workflow = await store.define({ only: {} })
      await createMany(workflow, 5)
      await limit(workflow, 3)
      const [one, two] = [await store.worker(workflow), await store.worker(workflow)]
      const first = await one.claim(2)
      const second = await two.claim(10)
      expect([first.length, second.length]).toEqual([2, 1])
      expect(await two.claim(10)).toEqual([])
      const turn = await one.advance({ outcomes: [completed(first[0]!)] })
      expect(turn.claimed).toHaveLength(1)
    })

    it("counts the steps of all workflows that use it", async () => {
      const [a, b] = [
        await store.define({ only: {} }, { queue: "shared" }),
        await store.define({ only: {} }, { queue: "shared" }),
      ]
      await createMany(a, 2)
      await createMany(b, 2)
      await limit(a, 3)
      expect(await (await store.worker([a, b])).claim(10)).toHaveLength(3)
      expect(await (await store.worker(b)).claim(10)).toEqual([])
    })

    it("counts what ran when the limit was set", async () => {
      const workflow = await store.define({ only: {} })
      await createMany(workflow, 4)
      const worker = await store.worker(workflow)
      const running = await worker.claim(3)
      await limit(workflow, 2)
      expect(await worker.claim(10)).toEqual([])
      await worker.finish(completed(running[0]!), completed(running[1]!))
      expect(await worker.claim(10)).toHaveLength(1)
    })

    it("gives a freed slot to a child, once it is its turn", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
      await createMany(workflow, 1)
      await limit(workflow, 1)
      const worker = await store.worker(workflow)
      const one = await worker.claimOne()
      const turn = await worker.advance({ outcomes: [completed(one)] })
      const next = turn.claimed.length > 0 ? turn : await worker.advance()
      expect(next.names).toEqual(["two#1"])
      expect(await worker.claim()).toEqual([])
    })

    it("frees the slot of a step that waits for its retry", async () => {
      const workflow = await store.define({ only: {} })
      await createMany(workflow, 2)
      await limit(workflow, 1)
      const worker = await store.worker(workflow)
      const turn = await worker.advance({ outcomes: [failed(await worker.claimOne(), 60_000)] })
      const next = turn.claimed.length > 0 ? turn : await worker.advance()
      expect(next.claimed).toHaveLength(1)
    })

    it("without its limit runs as many as there is room for", async () => {
      const workflow = await store.define({ only: {} })
      await createMany(workflow, 4)
      expect(await limit(workflow, 1)).toBe(true)
      expect(await limit(workflow, 1)).toBe(false)
      const worker = await store.worker(workflow)
      expect(await worker.claim(10)).toHaveLength(1)
      expect(await limit(workflow, 2)).toBe(true)
      expect(await worker.claim(10)).toHaveLength(1)
      expect(await limit(workflow, null)).toBe(true)
      expect(await worker.claim(10)).toHaveLength(2)
      expect(await limit(workflow, null)).toBe(false)
    })

    it("does not hold up other queues", async () => {
      const workflow = await store.define({ tight: { queue: "tight" }, wide: { queue: "wide" } })
      await createMany(workflow, 3)
      await limitQueue(opened.database, "tight", 1)
      expect((await (await store.worker(workflow)).advance()).names).toEqual(["tight#1", "wide#1", "wide#1", "wide#1"])
    })

    it("takes the most urgent of its steps first", async () => {
      const workflow = await store.define({ only: {} })
      await store.createTask(workflow, { priority: 4 })
      const urgent = await store.createTask(workflow, { priority: 1 }, at(10))
      await limit(workflow, 1)
      const [claim] = await (await store.worker(workflow)).claim(10, at(20))
      expect(claim?.taskId).toBe(urgent)
    })

    it.skipIf(kind === "pglite")("never runs more when two workers claim at the same time", async () => {
      const workflow = await store.define({ only: {} })
      await createMany(workflow, 10)
      await limit(workflow, 3)
      const [one, two] = [await store.worker(workflow), await store.worker(workflow)]
      const held = await openTransaction(opened.database, (db) => one.advance({ room: 2, db }))
      const second = two.advance({ room: 10 })
      await untilBlocked(opened.database)
      await held.commit()
      expect(held.result.claimed).toHaveLength(2)
      expect((await second).claimed).toHaveLength(1)
    })

    it.skipIf(kind === "pglite")("knows the tasks that were created while its limit was being set", async () => {
      const workflow = await store.define({ only: {} })
      const held = await openTransaction(opened.database, (tx) =>
        store.createTasks(
          [1, 2].map((input) => ({ workflow_id: workflow.workflowId, input })),
          at(0),
          tx,
        ),
      )
      const limiting = limit(workflow, 1)
      await untilBlocked(opened.database)
      const creating = createMany(workflow, 2)
      await held.commit()
      await Promise.all([limiting, creating])
      expect(await (await store.worker(workflow)).claim(10)).toHaveLength(1)
    })
  })

  describe("a paused queue", () => {
    const pause = async (workflow: TestWorkflow, paused: boolean) =>
      await store.call<boolean>("pause_queue", [workflow.queue, paused, "ann", "a storm"], at(7))

    it("hands out nothing until it is resumed, and what runs goes on", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
      await createMany(workflow, 2)
      const worker = await store.worker(workflow)
      const one = await worker.claimOne()
      expect(await pause(workflow, true)).toBe(true)
      expect(await pause(workflow, true)).toBe(false)
      expect(await worker.advance({ outcomes: [completed(one)] })).toMatchObject({ claimed: [], nextMs: null })
      expect(await store.states(one.taskId)).toEqual({ one: "complete", two: "pending" })
      expect(await pause(workflow, false)).toBe(true)
      expect(await pause(workflow, false)).toBe(false)
      expect((await worker.advance()).names).toEqual(["one#1", "two#1"])
    })

    it("remembers who and why", async () => {
      const workflow = await store.define({ only: {} })
      await pause(workflow, true)
      const read = async () =>
        await opened.database.query({ text: "select * from tasker.queues where name = $1", values: [workflow.queue] })
      expect(await read()).toMatchObject([{ paused_at: at(7), paused_by: "ann", pause_reason: "a storm" }])
      await pause(workflow, false)
      expect(await read()).toMatchObject([{ paused_at: null, paused_by: null, pause_reason: null }])
    })

    it("may be paused and limited before anybody uses it", async () => {
      await store.call("pause_queue", ["not_yet", true, null, null])
      await limitQueue(opened.database, "not_yet", 1)
      const workflow = await store.define({ only: {} }, { queue: "not_yet" })
      await createMany(workflow, 2)
      const worker = await store.worker(workflow)
      expect(await worker.claim()).toEqual([])
      await store.call("pause_queue", ["not_yet", false, null, null])
      expect(await worker.claim()).toHaveLength(1)
    })

    it.each([
      ["a limit of none", "insert into tasker.queues (name, max_running) values ('zero', 0)"],
      ["a name that is no name", "insert into tasker.queues (name) values ('No Name')"],
    ])("the database refuses %s", async (_what, text) => {
      await expect(opened.database.query({ text })).rejects.toMatchObject({ code: "23514" })
    })
  })
})
