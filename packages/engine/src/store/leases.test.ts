import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"
import { at } from "./test-clock.ts"
import { openTransaction, TestStore, untilBlocked } from "./test-store.ts"
import { completed, failed, failedForGood } from "./test-worker.ts"

const LEASE_MS = 15_000

describe.each(testDatabases(migrate))("leases on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterEach(async () => expect(await store.violations()).toEqual([]))
  afterAll(async () => await opened.close())

  async function workerRow(workerId: number): Promise<Record<string, unknown>> {
    const [row] = await opened.database.query({
      text: "select * from tasker.workers where worker_id = $1",
      values: [workerId],
    })
    return row ?? {}
  }

  /** Ends the workers that other tests left behind, so that a rescue is about this test's alone. */
  async function clearWorkers(): Promise<void> {
    await opened.database.query({
      text: "select tasker.stop_worker(worker_id) from tasker.workers where stopped_at is null and lost_at is null",
    })
  }

  describe("heartbeat", () => {
    it("extends the lease", async () => {
      await clearWorkers()
      const workflow = await store.define({ only: {} })
      const worker = await store.worker(workflow)
      await worker.heartbeat([], at(10_000))
      expect(await workerRow(worker.workerId)).toMatchObject({ heartbeat_at: at(10_000), lost_at: null })
      expect(await store.rescue(at(10_000 + LEASE_MS))).toEqual([])
      expect(await store.rescue(at(10_001 + LEASE_MS))).toEqual([{ worker_id: worker.workerId, steps: 0 }])
    })

    it("says which attempts the worker no longer holds", async () => {
      const workflow = await store.define({ only: {} })
      const tasks = [await store.createTask(workflow), await store.createTask(workflow)]
      const worker = await store.worker(workflow)
      const claims = await worker.claim()
      const [kept, gone] = [
        claims.find(({ taskId }) => taskId === tasks[0])!,
        claims.find(({ taskId }) => taskId === tasks[1])!,
      ]
      expect(await worker.heartbeat(claims, at(1))).toEqual([])
      await store.call("cancel_task", [gone.taskId, "ann", null])
      const { taskId, stepNo, attempt } = gone
      expect(await worker.heartbeat([kept, gone], at(2))).toEqual([{ taskId, stepNo, attempt }])
      expect(await worker.heartbeat([{ ...kept, attempt: 2 }], at(2))).toHaveLength(1)
    })

    it("of a worker that is lost or stopped is refused", async () => {
      const workflow = await store.define({ only: {} })
      const [stopped, lost] = [await store.worker(workflow), await store.worker(workflow)]
      await stopped.stop()
      await store.rescue(at(LEASE_MS + 1))
      for (const worker of [stopped, lost]) {
        await expect(worker.heartbeat([], at(LEASE_MS + 2))).rejects.toMatchObject({ code: "TASKER_LEASE_LOST" })
        await expect(worker.recover([])).rejects.toMatchObject({ code: "TASKER_LEASE_LOST" })
        expect(await worker.stop()).toBe(0)
      }
    })
  })

  describe("rescue", () => {
    it("makes the steps of a lost worker ready again, and counts the attempt", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
      const taskId = await store.createTask(workflow)
      const [lost, other] = [await store.worker(workflow), await store.worker(workflow, { now: at(1_000) })]
      const claim = await lost.claimOne()
      expect(await store.rescue(at(LEASE_MS))).toEqual([])
      expect(await store.rescue(at(LEASE_MS + 1))).toContainEqual({ worker_id: lost.workerId, steps: 1 })
      expect(await workerRow(lost.workerId)).toMatchObject({ lost_at: at(LEASE_MS + 1) })
      expect(await store.step(taskId, "one")).toMatchObject({
        state: "waiting_for_retry",
        attempts: 1,
        worker_id: null,
        run_at: at(LEASE_MS + 1),
        error: { code: "TASKER_WORKER_LOST" },
      })
      expect((await store.history(taskId)).at(-1)).toMatchObject({
        name: "one",
        cause: "worker_lost",
        worker_id: lost.workerId,
      })
      await expect(lost.finish(completed(claim, "late"))).rejects.toMatchObject({ code: "TASKER_LEASE_LOST" })
      const again = await other.claimOne(at(LEASE_MS + 1))
      expect(again).toMatchObject({ name: "one", attempt: 2 })
      expect((await other.advance({ outcomes: [completed(again)] })).names).toEqual(["two#1"])
    })

    it("a step without another attempt is in error, or skipped where it may be", async () => {
      const workflow = await store.define({ hard: { maxAttempts: 1 }, soft: { maxAttempts: 1, skippable: true } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.claim()
      await store.rescue(at(LEASE_MS + 1))
      expect(await store.states(taskId)).toEqual({ hard: "error", soft: "skipped" })
      expect(await store.task(taskId)).toMatchObject({ state: "error", active_steps: 0 })
      expect(await store.step(taskId, "hard")).toMatchObject({ error: { code: "TASKER_WORKER_LOST" }, attempts: 1 })
    })

    it("of a paused task's step leaves it held back", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.claim()
      await store.call("pause_task", [taskId, null, null])
      await store.rescue(at(LEASE_MS + 1))
      expect(await store.step(taskId, "only")).toMatchObject({ state: "waiting_for_retry", held: true })
      const other = await store.worker(workflow, { now: at(LEASE_MS + 1) })
      expect(await other.claim(1, at(LEASE_MS + 2))).toEqual([])
    })

    it("takes the steps of one task from several lost workers at once", async () => {
      await clearWorkers()
      const workflow = await store.define({ a: {}, b: {}, c: {} })
      const taskId = await store.createTask(workflow)
      const workers = [await store.worker(workflow), await store.worker(workflow), await store.worker(workflow)]
      for (const worker of workers) await worker.claimOne()
      expect(await store.rescue(at(LEASE_MS + 1))).toEqual(
        workers.map(({ workerId }) => ({ worker_id: workerId, steps: 1 })),
      )
      expect(await store.states(taskId)).toEqual({
        a: "waiting_for_retry",
        b: "waiting_for_retry",
        c: "waiting_for_retry",
      })
    })

    it("leaves the live, the stopped and those that were lost before alone", async () => {
      await clearWorkers()
      const workflow = await store.define({ only: {} })
      const [lost, live, stopped] = [
        await store.worker(workflow),
        await store.worker(workflow),
        await store.worker(workflow),
      ]
      await live.heartbeat([], at(LEASE_MS))
      await stopped.stop()
      expect(await store.rescue(at(LEASE_MS + 1))).toEqual([{ worker_id: lost.workerId, steps: 0 }])
      expect(await store.rescue(at(LEASE_MS + 2))).toEqual([])
    })

    it.skipIf(kind === "pglite")("waits for what the worker is about to commit, and then takes that too", async () => {
      await clearWorkers()
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const held = await openTransaction(opened.database, (db) => worker.advance({ db }))
      // The claim holds the worker's row, so a rescue passes it over for now.
      expect(await store.rescue(at(LEASE_MS + 1))).toEqual([])
      await held.commit()
      expect(await store.rescue(at(LEASE_MS + 1))).toEqual([{ worker_id: worker.workerId, steps: 1 }])
      expect(await store.step(taskId, "only")).toMatchObject({ state: "waiting_for_retry", attempts: 1 })
    })

    it.skipIf(kind === "pglite")("a worker that answers while it is being rescued is refused", async () => {
      await clearWorkers()
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claim = await worker.claimOne()
      const held = await openTransaction(opened.database, (db) => store.rescue(at(LEASE_MS + 1), db))
      const answer = worker.finish(completed(claim))
      answer.catch(() => {})
      await untilBlocked(opened.database)
      await held.commit()
      await expect(answer).rejects.toMatchObject({ code: "TASKER_LEASE_LOST" })
      expect(await store.step(taskId, "only")).toMatchObject({ state: "waiting_for_retry", result: null })
    })

    it.skipIf(kind === "pglite")(
      "never deadlocks with an operator, whichever steps of a task the lost workers held",
      async () => {
        await clearWorkers()
        const [workflow, other] = [
          await store.define({ a: { priority: 1 }, b: { priority: 2 } }),
          await store.define({ only: {} }),
        ]
        const [first, second] = [await store.worker([workflow, other]), await store.worker(workflow)]
        const blocker = await store.createTask(other)
        await first.claimOne()
        const victim = await store.createTask(workflow)
        expect([await second.claimOne(), await first.claimOne()]).toMatchObject([{ name: "a" }, { name: "b" }])
        // The rescue has the later row when it comes to a halt; then the operator takes the earlier one.
        const held = await openTransaction(opened.database, (db) =>
          db.query({ text: "select from tasker.tasks where task_id = $1 for update", values: [blocker] }),
        )
        const rescue = store.rescue(at(LEASE_MS + 1))
        await untilBlocked(opened.database)
        const cancel = store.call("cancel_task", [victim, "ann", null])
        await untilBlocked(opened.database, 2)
        await held.commit()
        await expect(Promise.all([rescue, cancel])).resolves.toBeDefined()
        expect(await store.task(victim)).toMatchObject({ state: "cancelled" })
      },
    )
  })

  describe("stop", () => {
    it("hands back at once what the worker holds, and the attempt does not count", async () => {
      const workflow = await store.define({ only: { maxAttempts: 1 } })
      const taskId = await store.createTask(workflow)
      const [worker, other] = [await store.worker(workflow), await store.worker(workflow)]
      await worker.claim()
      expect(await worker.stop(at(5))).toBe(1)
      expect(await store.step(taskId, "only")).toMatchObject({ state: "waiting_for_retry", run_at: at(5), error: null })
      expect((await store.history(taskId)).at(-1)).toMatchObject({ cause: "handed_back", error: null })
      const again = await other.claimOne(at(5))
      expect(again).toMatchObject({ attempt: 2, maxAttempts: 2 })
      expect((await other.finish(failed(again))).ended).toEqual([{ taskId, state: "error" }])
    })

    it("of a worker that holds nothing ends it, and the second time does nothing", async () => {
      const workflow = await store.define({ only: {} })
      const worker = await store.worker(workflow)
      expect(await worker.stop(at(1))).toBe(0)
      expect(await worker.stop(at(2))).toBe(0)
      expect(await workerRow(worker.workerId)).toMatchObject({ stopped_at: at(1) })
    })
  })

  describe("recover", () => {
    it("hands back what the worker never heard of, and keeps what it knows", async () => {
      const workflow = await store.define({ known: {}, unheard: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claims = await worker.claim()
      const known = claims.find(({ name }) => name === "known")!
      expect(await worker.recover([known], at(3))).toBe(1)
      expect(await store.states(taskId)).toEqual({ known: "in_progress", unheard: "waiting_for_retry" })
      expect((await worker.advance({ outcomes: [completed(known)], now: at(3) })).names).toEqual(["unheard#2"])
    })

    it("with everything known changes nothing", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claims = await worker.claim()
      expect(await worker.recover(claims)).toBe(0)
      expect(await store.states(taskId)).toEqual({ only: "in_progress" })
    })

    it("an outcome that was recorded before the answer was lost is refused when it is sent again", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claim = await worker.claimOne()
      await worker.finish(failedForGood(claim))
      expect(await worker.recover([claim])).toBe(0)
      expect((await worker.finish(failedForGood(claim))).lost).toHaveLength(1)
      expect(await store.path(taskId, "only")).toEqual(["in_progress", "error"])
    })
  })
})
