import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"
import { at } from "./test-clock.ts"
import { openTransaction, TestStore } from "./test-store.ts"
import { completed, failed, failedForGood } from "./test-worker.ts"

describe.each(testDatabases(migrate))("advance on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterEach(async () => expect(await store.violations()).toEqual([]))
  afterAll(async () => await opened.close())

  it("refuses an outcome rather than losing it when the queue is wrong about its record", async () => {
    const workflow = await store.define({ only: {} })
    const taskId = await store.createTask(workflow)
    const worker = await store.worker(workflow)
    const step = await worker.claimOne()
    const lie = "update tasker.step_queue set is_recorded = not is_recorded where task_id = $1"
    await opened.database.query({ text: lie, values: [taskId] })
    await expect(worker.advance({ outcomes: [completed(step, 1)] })).rejects.toMatchObject({ code: "TASKER_INTERNAL" })
    await opened.database.query({ text: lie, values: [taskId] })
    expect((await worker.advance({ outcomes: [completed(step, 1)] })).ended).toHaveLength(1)
  })

  describe("claiming", () => {
    it("gives the most urgent first, and within a priority the oldest", async () => {
      const workflow = await store.define({ only: {} })
      const worker = await store.worker(workflow)
      const create = async (priority: number, ms: number) => await store.createTask(workflow, { priority }, at(ms))
      const late = await create(3, 30)
      const early = await create(3, 10)
      const least = await create(4, 0)
      const most = await create(1, 40)
      const middle = await create(2, 20)
      const order: string[] = []
      for (let turn = 0; turn < 5; turn++) order.push((await worker.claimOne(at(100))).taskId)
      expect(order).toEqual([most, middle, early, late, least])
    })

    it("a step's own priority goes before its task's", async () => {
      const workflow = await store.define(
        { calm: { priority: 4 }, urgent: { priority: 1 }, usual: {} },
        { priority: 2 },
      )
      await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const names = [await worker.claimOne(), await worker.claimOne(), await worker.claimOne()].map(({ name }) => name)
      expect(names).toEqual(["urgent", "usual", "calm"])
    })

    it("gives no more than there is room for, and nothing to a worker without room", async () => {
      const workflow = await store.define({ only: {} })
      await store.createTasks(Array.from({ length: 5 }, () => ({ workflow_id: workflow.workflowId, input: 1 })))
      const worker = await store.worker(workflow)
      expect((await worker.advance({ room: 0 })).claimed).toEqual([])
      expect(await worker.claim(2)).toHaveLength(2)
      expect(await worker.claim(100)).toHaveLength(3)
      expect(await worker.claim(100)).toEqual([])
    })

    it("gives only steps of the routes that the worker serves", async () => {
      const workflow = await store.define({ mine: { queue: "served" }, other: { queue: "not_served" } })
      await store.createTask(workflow)
      const other = await store.define({ elsewhere: { queue: "served" } })
      await store.createTask(other)
      const worker = await store.worker(workflow, { queues: ["served"] })
      expect((await worker.advance()).names).toEqual(["mine#1"])
    })

    it("a step that is not due is not given, and the worker is told when the earliest is", async () => {
      const workflow = await store.define({ only: {} })
      await store.createTask(workflow, { run_at: at(7_000) })
      await store.createTask(workflow, { run_at: at(5_000), priority: 4 })
      const worker = await store.worker(workflow)
      const early = await worker.advance({ now: at(4_999) })
      expect(early).toMatchObject({ claimed: [], nextMs: 1 })
      expect((await worker.advance({ now: at(5_000) })).claimed).toHaveLength(1)
      expect(await worker.advance({ now: at(5_000), room: 0 })).toMatchObject({ nextMs: null })
      expect(await worker.advance({ now: at(6_000) })).toMatchObject({ nextMs: 1_000 })
      expect(await worker.advance({ now: at(7_000) })).toMatchObject({ nextMs: null, names: ["only#1"] })
    })

    it("gives the task's input, its attempt, its correlation and its trace", async () => {
      const workflow = await store.define({ only: { maxAttempts: 5 } })
      const taskId = await store.createTask(workflow, {
        input: { deep: [1, null, "x"] },
        correlation_id: "c-1",
        trace_context: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        priority: 2,
      })
      const worker = await store.worker(workflow)
      expect(await worker.claimOne(at(30))).toEqual({
        taskId,
        name: "only",
        stepNo: 0,
        attempt: 1,
        maxAttempts: 5,
        priority: 2,
        input: { deep: [1, null, "x"] },
        results: null,
        correlationId: "c-1",
        traceContext: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        startsTask: true,
        waitMs: 30,
      })
    })

    it("starts the task with its first step, and not again with the next", async () => {
      const workflow = await store.define({ one: {}, two: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      expect(await store.task(taskId)).toMatchObject({ state: "pending", started_at: null })
      await worker.claim(1, at(10))
      await worker.claim(1, at(20))
      expect(await store.task(taskId)).toMatchObject({ state: "in_progress", started_at: at(10) })
      expect(await store.path(taskId)).toEqual(["pending", "in_progress"])
    })

    it.skipIf(kind === "pglite")("two workers that claim at the same time never get the same step", async () => {
      const workflow = await store.define({ only: {} })
      await store.createTasks(Array.from({ length: 6 }, () => ({ workflow_id: workflow.workflowId, input: 1 })))
      const [first, second] = [await store.worker(workflow), await store.worker(workflow)]
      const held = await openTransaction(opened.database, (db) => first.advance({ room: 4, db }))
      const other = await second.advance({ room: 4 })
      await held.commit()
      const keys = [...held.result.claimed, ...other.claimed].map(({ taskId }) => taskId)
      expect(held.result.claimed).toHaveLength(4)
      expect(other.claimed).toHaveLength(2)
      expect(new Set(keys).size).toBe(6)
    })

    it.skipIf(kind === "pglite")("what a claim took that was rolled back is there for the next", async () => {
      const workflow = await store.define({ only: {} })
      await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const held = await openTransaction(opened.database, (db) => worker.advance({ db }))
      expect(held.result.names).toEqual(["only#1"])
      await held.rollback()
      expect((await worker.advance()).names).toEqual(["only#1"])
    })
  })

  describe("children", () => {
    const diamond = {
      start: {},
      left: { dependsOn: ["start"] },
      right: { dependsOn: ["start"] },
      end: { dependsOn: ["left", "right"] },
    }

    it("a step of several parents is recorded once some of them are done, and not when all are", async () => {
      const workflow = await store.define(diamond)
      const worker = await store.worker(workflow)
      const [slow, fast] = [await store.createTask(workflow), await store.createTask(workflow)]
      const recorded = async () =>
        await opened.database.query({
          text: `
            select case task_id when $1 then 'slow' else 'fast' end as task, waiting_on from tasker.step_records
            where task_id in ($1, $2) and step_no = 3`,
          values: [slow, fast],
        })
      const starts = await worker.claim()
      const { claimed } = await worker.advance({ outcomes: starts.map((claim) => completed(claim)) })
      expect(await recorded()).toEqual([])
      const [late, ...rest] = claimed.toSorted((a) => (a.taskId === slow ? -1 : 1))
      expect((await worker.advance({ outcomes: rest.map((claim) => completed(claim)) })).names).toEqual(["end#1"])
      expect(await recorded()).toEqual([{ task: "slow", waiting_on: 1 }])
      expect(await store.step(fast, "end")).toMatchObject({ state: "in_progress", waiting_on: 0 })
      const last = await worker.advance({ outcomes: [completed(late!)] })
      expect(last.names).toEqual(["end#1"])
      expect(await store.step(slow, "end")).toMatchObject({ state: "in_progress", waiting_on: 0 })
      await store.call("cancel_task", [slow, "ann", null])
      expect(await store.step(slow, "end")).toMatchObject({ state: "cancelled", waiting_on: 0 })
    })

    it("go to the worker that finished their parents, with the parents' results", async () => {
      const workflow = await store.define(diamond)
      await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const start = await worker.claimOne()
      const middle = await worker.advance({ outcomes: [completed(start, { at: 1 })] })
      expect(middle).toMatchObject({ names: ["left#1", "right#1"], queuedCount: 0 })
      expect(middle.claimed.map(({ results }) => results)).toEqual([{ start: { at: 1 } }, { start: { at: 1 } }])
      const [left, right] = middle.claimed
      expect((await worker.advance({ outcomes: [completed(left!, "l")] })).names).toEqual([])
      const end = await worker.advance({ outcomes: [completed(right!, null)] })
      expect(end.claimed).toMatchObject([{ name: "end", results: { left: "l", right: null } }])
    })

    it("that the worker has no room for are queued for others", async () => {
      const workflow = await store.define(diamond)
      await store.createTask(workflow)
      const [worker, other] = [await store.worker(workflow), await store.worker(workflow)]
      const start = await worker.claimOne()
      const turn = await worker.advance({ outcomes: [completed(start)], room: 1 })
      expect(turn.claimed).toHaveLength(1)
      expect(turn.queuedCount).toBe(1)
      expect(await other.claim()).toHaveLength(1)
    })

    it("wait in the queue while something more urgent is there, and go first when it is not more urgent", async () => {
      const workflow = await store.define({ first: {}, second: { dependsOn: ["first"] } })
      const worker = await store.worker(workflow)
      await store.createTask(workflow, { priority: 3 })
      const first = await worker.claimOne()
      const urgent = await store.createTask(workflow, { priority: 2 })
      const turn = await worker.advance({ outcomes: [completed(first)], room: 1, expected: [0, 0, 1, 1] })
      expect(turn.claimed.map(({ taskId }) => taskId)).toEqual([urgent])
      expect(turn.queuedCount).toBe(1)
      await store.createTask(workflow, { priority: 2 })
      const next = await worker.advance({ outcomes: [completed(turn.claimed[0]!)], room: 1, expected: [0, 1, 1, 1] })
      expect(next.claimed).toMatchObject([{ taskId: urgent, name: "second" }])
    })

    it("of a queue that the worker does not serve are left to others", async () => {
      const workflow = await store.define({ first: { queue: "near" }, second: { queue: "far", dependsOn: ["first"] } })
      await store.createTask(workflow)
      const near = await store.worker(workflow, { queues: ["near"] })
      const far = await store.worker(workflow, { queues: ["far"] })
      const turn = await near.advance({ outcomes: [completed(await near.claimOne())] })
      expect(turn).toMatchObject({ names: [], queuedCount: 1 })
      expect((await far.advance()).names).toEqual(["second#1"])
    })

    it("a skipped parent has no result, which is not null", async () => {
      const workflow = await store.define({
        optional: { skippable: true, maxAttempts: 1 },
        nothing: {},
        end: { dependsOn: ["optional", "nothing"] },
      })
      await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const [optional, nothing] = await worker.claim()
      const turn = await worker.advance({ outcomes: [failed(optional!), completed(nothing!, null)] })
      expect(turn.claimed).toMatchObject([{ name: "end", results: { nothing: null } }])
      expect(turn.claimed[0]?.results).not.toHaveProperty("optional")
    })

    it("of a thousand parents that end in one turn are counted down by one update", async () => {
      const parents = Object.fromEntries(Array.from({ length: 300 }, (_step, index) => [`p${index}`, {}]))
      const workflow = await store.define({ ...parents, end: { dependsOn: Object.keys(parents) } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claims = await worker.claim(1_000)
      expect(await store.step(taskId, "end")).toMatchObject({ waiting_on: 300 })
      const turn = await worker.advance({ outcomes: claims.map((claim) => completed(claim, claim.stepNo)) })
      expect(turn.names).toEqual(["end#1"])
      expect(turn.claimed[0]?.results).toHaveProperty("p299", 299)
    })
  })

  describe("outcomes", () => {
    it("of one step that has two children, and of another that is retried, count as what they are", async () => {
      const workflow = await store.define({
        opens: {},
        fails: { maxAttempts: 2 },
        one: { dependsOn: ["opens"] },
        two: { dependsOn: ["opens"] },
      })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const [opens, fails] = await worker.claim()
      // As many steps get ready as end, and yet one more is active: the one that is retried.
      await worker.advance({ outcomes: [completed(opens!), failed(fails!)] })
      expect(await store.task(taskId)).toMatchObject({ state: "in_progress", active_steps: 3 })
    })

    it("the last result completes the task", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const turn = await worker.advance({ outcomes: [completed(await worker.claimOne(), "one's")], now: at(5) })
      expect(turn.ended).toEqual([])
      const last = await worker.advance({ outcomes: [completed(turn.claimed[0]!, { done: true })], now: at(9) })
      expect(last.ended).toEqual([{ taskId, state: "complete" }])
      expect(await store.task(taskId)).toMatchObject({
        state: "complete",
        active_steps: 0,
        failed_steps: 0,
        finished_at: at(9),
      })
      expect(await store.step(taskId, "two")).toMatchObject({ result: { done: true }, error: null, finished_at: at(9) })
      expect(await store.path(taskId)).toEqual(["pending", "in_progress", "complete"])
    })

    it("a failure is tried again after its delay, until no attempt is left", async () => {
      const workflow = await store.define({ only: { maxAttempts: 2 } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const first = await worker.claimOne()
      const turn = await worker.advance({ outcomes: [failed(first, 1_500)], now: at(1_000) })
      // The worker knows of its own retry; only a call without outcomes looks for what comes next.
      expect(turn).toMatchObject({ claimed: [], ended: [], nextMs: null })
      expect(await worker.advance({ now: at(1_000) })).toMatchObject({ claimed: [], nextMs: 1_500 })
      expect(await store.step(taskId, "only")).toMatchObject({
        state: "waiting_for_retry",
        attempts: 1,
        run_at: at(2_500),
        finished_at: null,
        error: { message: "it failed" },
      })
      expect((await worker.advance({ now: at(2_499) })).claimed).toEqual([])
      const second = await worker.claimOne(at(2_700))
      expect(second).toMatchObject({ attempt: 2, maxAttempts: 2, waitMs: 200 })
      const end = await worker.advance({ outcomes: [failed(second)], now: at(3_000) })
      expect(end.ended).toEqual([{ taskId, state: "error" }])
      expect(await store.step(taskId, "only")).toMatchObject({ state: "error", attempts: 2, finished_at: at(3_000) })
      expect(await store.path(taskId, "only")).toEqual(["in_progress", "waiting_for_retry", "in_progress", "error"])
    })

    it("a result after failures leaves no error behind", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish(failed(await worker.claimOne()))
      await worker.finish(completed(await worker.claimOne(), 1))
      expect(await store.step(taskId, "only")).toMatchObject({ state: "complete", error: null, result: 1, attempts: 2 })
      const errors = (await store.history(taskId)).map(({ error }) => error)
      expect(errors.filter((error) => error !== null)).toEqual([{ code: null, message: "it failed" }])
    })

    it("a permanent failure leaves attempts unused", async () => {
      const workflow = await store.define({ only: { maxAttempts: 9 } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish(failedForGood(await worker.claimOne()))
      expect(await store.step(taskId, "only")).toMatchObject({ state: "error", attempts: 1, error: { code: "BROKEN" } })
    })

    it("a skippable step that failed for good is skipped, and keeps its error", async () => {
      const workflow = await store.define({ only: { skippable: true } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const turn = await worker.finish(failedForGood(await worker.claimOne()))
      expect(turn.ended).toEqual([{ taskId, state: "complete" }])
      expect(await store.step(taskId, "only")).toMatchObject({
        state: "skipped",
        result: null,
        error: { code: "BROKEN" },
      })
    })

    it("other branches go on after a failure; the task is in error when nothing can go on", async () => {
      const workflow = await store.define({
        bad: { maxAttempts: 1 },
        below: { dependsOn: ["bad"] },
        good: {},
        last: { dependsOn: ["good"] },
      })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const [bad, good] = await worker.claim()
      expect((await worker.finish(failed(bad!))).ended).toEqual([])
      const turn = await worker.advance({ outcomes: [completed(good!)] })
      expect(turn.names).toEqual(["last#1"])
      expect((await worker.finish(completed(turn.claimed[0]!))).ended).toEqual([{ taskId, state: "error" }])
      expect(await store.states(taskId)).toEqual({ bad: "error", below: "pending", good: "complete", last: "complete" })
      expect(await store.task(taskId)).toMatchObject({ state: "error", active_steps: 0, failed_steps: 1 })
    })

    it("outcomes of many tasks and kinds are taken in one turn", async () => {
      const workflow = await store.define({ only: { maxAttempts: 2 } })
      const tasks: string[] = []
      for (let index = 0; index < 4; index++) tasks.push(await store.createTask(workflow, {}, at(index)))
      const worker = await store.worker(workflow)
      const claims = await worker.claim(10, at(10))
      const claimOf = (index: number) => claims.find(({ taskId }) => taskId === tasks[index])!
      const turn = await worker.finish(
        completed(claimOf(0), "r"),
        failed(claimOf(1), 60_000),
        failedForGood(claimOf(2)),
      )
      expect(turn.ended.toSorted((a, b) => tasks.indexOf(a.taskId) - tasks.indexOf(b.taskId))).toEqual([
        { taskId: tasks[0], state: "complete" },
        { taskId: tasks[2], state: "error" },
      ])
      const states = await Promise.all(tasks.map(async (taskId) => (await store.step(taskId, "only")).state))
      expect(states).toEqual(["complete", "waiting_for_retry", "error", "in_progress"])
    })

    it("records a word for why an attempt ended", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish({ ...failed(await worker.claimOne()), cause: "timeout" })
      expect((await store.history(taskId)).at(-1)).toMatchObject({
        name: "only",
        cause: "timeout",
        attempt: 1,
        worker_id: worker.workerId,
      })
    })
  })

  describe("fencing", () => {
    it("an outcome for an attempt that ended already changes nothing, and is reported", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claim = await worker.claimOne()
      await worker.finish(completed(claim, "first"))
      const again = await worker.finish(completed(claim, "second"))
      expect(again).toMatchObject({ ended: [], lost: [{ taskId, stepNo: 0, attempt: 1 }] })
      expect(await store.step(taskId, "only")).toMatchObject({ result: "first" })
    })

    it("an outcome of an older attempt is refused while the next one runs", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const first = await worker.claimOne()
      await worker.finish(failed(first))
      const second = await worker.claimOne()
      expect((await worker.finish(completed(first, "late"))).lost).toMatchObject([{ attempt: 1 }])
      expect(await store.step(taskId, "only")).toMatchObject({ state: "in_progress", attempts: 2 })
      await worker.finish(completed(second, "right"))
      expect(await store.step(taskId, "only")).toMatchObject({ result: "right" })
    })

    it("an outcome for another worker's attempt is refused, beside one that is taken", async () => {
      const workflow = await store.define({ only: {} })
      const [mine, theirs] = [await store.createTask(workflow), await store.createTask(workflow, {}, at(1))]
      const [worker, other] = [await store.worker(workflow), await store.worker(workflow)]
      const own = await worker.claimOne(at(2))
      const foreign = await other.claimOne(at(2))
      const turn = await worker.finish(completed(foreign, "stolen"), completed(own, "own"))
      expect(turn.lost).toMatchObject([{ taskId: theirs }])
      expect(await store.states(mine)).toEqual({ only: "complete" })
      expect(await store.step(theirs, "only")).toMatchObject({ state: "in_progress", worker_id: other.workerId })
    })

    it("a worker that was stopped or lost is told so", async () => {
      const workflow = await store.define({ only: {} })
      const [stopped, lost] = [await store.worker(workflow), await store.worker(workflow, { leaseMs: 1_000 })]
      await stopped.stop()
      await store.rescue(at(1_001))
      for (const worker of [stopped, lost]) {
        await expect(worker.advance()).rejects.toMatchObject({ code: "TASKER_LEASE_LOST" })
      }
    })

    it("a result that the database refuses leaves everything as it was", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claim = await worker.claimOne()
      await expect(worker.finish(completed(claim, "\u0000"))).rejects.toMatchObject({ code: "22P05" })
      expect(await store.step(taskId, "only")).toMatchObject({ state: "in_progress", result: null })
    })
  })
})
