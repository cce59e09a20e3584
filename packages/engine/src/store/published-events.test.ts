import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { listTransitions } from "./list-transitions.ts"
import { migrate } from "./migrate.ts"
import { lastTransitionId, ownTransitions } from "./own-transitions.ts"
import { rescueSteps } from "./rescue-steps.ts"
import { runOne } from "./run.ts"
import { at } from "./test-clock.ts"
import { openTransaction, TestStore, untilBlocked } from "./test-store.ts"
import { completed, failed, failedForGood } from "./test-worker.ts"

describe.each(testDatabases(migrate))("what advance says and records beside steps on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterEach(async () => expect(await store.violations()).toEqual([]))
  afterAll(async () => await opened.close())

  /** A task's history in short: `step state`, or what it published. */
  async function happened(taskId: string): Promise<readonly string[]> {
    const rows = await listTransitions(opened.database, taskId)
    return rows.map(({ step, to, event }) =>
      event === null ? `${step ?? "task"} ${to}` : `${step} says ${event.name}`,
    )
  }

  describe("that a claim started a task", () => {
    it("is said once, of one of its steps, however many are claimed at once", async () => {
      const workflow = await store.define({ one: {}, two: {}, three: { dependsOn: ["one", "two"] } })
      const taskIds = [await store.createTask(workflow), await store.createTask(workflow)]
      const worker = await store.worker(workflow)
      const { claimed } = await worker.advance()
      expect(claimed).toHaveLength(4)
      const started = claimed.filter(({ startsTask }) => startsTask).map(({ taskId }) => taskId)
      expect(started.toSorted()).toEqual(taskIds.toSorted())
      const rest = await worker.advance({ outcomes: claimed.map((claim) => completed(claim)) })
      expect(rest.claimed.map(({ name, startsTask }) => [name, startsTask])).toEqual([
        ["three", false],
        ["three", false],
      ])
    })

    it("is said when the step that is claimed comes with children that were handed over", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
      const worker = await store.worker(workflow)
      await store.createTask(workflow)
      const first = await worker.claimOne()
      const newcomer = await store.createTask(workflow)
      const { claimed } = await worker.advance({ outcomes: [completed(first)] })
      const said = claimed.map(({ name, taskId: own, startsTask }) => `${name} ${own === newcomer} ${startsTask}`)
      expect(said.toSorted()).toEqual(["one true true", "two false false"])
    })

    it("is not said of a retry", async () => {
      const workflow = await store.define({ only: {} })
      await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish(failed(await worker.claimOne()))
      expect(await worker.claimOne()).toMatchObject({ attempt: 2, startsTask: false })
    })

    it.skipIf(kind === "pglite")("is said to one of two workers that claim its steps at the same time", async () => {
      const workflow = await store.define({ one: {}, two: {} })
      await store.createTask(workflow)
      const [first, second] = [await store.worker(workflow), await store.worker(workflow)]
      const held = await openTransaction(opened.database, (db) => first.advance({ room: 1, db }))
      // It sees the task pending, and waits for its row.
      const waiting = second.advance({ room: 1 })
      await untilBlocked(opened.database)
      await held.commit()
      const claims = [...held.result.claimed, ...(await waiting).claimed]
      expect(claims.map(({ startsTask }) => startsTask)).toEqual([true, false])
    })
  })

  it("an ended task comes with when it was created and started", async () => {
    const workflow = await store.define({ only: {} })
    await store.createTask(workflow, {}, at(10))
    const worker = await store.worker(workflow)
    const claim = await worker.claimOne(at(20))
    const { endedTimes } = await worker.advance({ outcomes: [completed(claim)], now: at(30) })
    expect(endedTimes).toEqual([{ createdAt: at(10), startedAt: at(20), lastedMs: 20 }])
  })

  describe("what attempts publish", () => {
    const paid = { name: "payments.paid", payload: { cents: 100 } }
    const sent = { name: "payments.sent", payload: null }

    it("stands in the history in order, before the attempt's end and what follows from it", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const one = await worker.claimOne()
      const { claimed } = await worker.advance({ outcomes: [{ ...completed(one), events: [paid, sent, paid] }] })
      await worker.finish({ ...completed(claimed[0]!), events: [sent] })
      expect(await happened(taskId)).toEqual([
        "task pending",
        "task in_progress",
        "one in_progress",
        "one says payments.paid",
        "one says payments.sent",
        "one says payments.paid",
        "one complete",
        "two in_progress",
        "two says payments.sent",
        "two complete",
        "task complete",
      ])
      const published = (await listTransitions(opened.database, taskId)).filter(({ cause }) => cause === "published")
      expect(published[0]).toMatchObject({
        step: "one",
        from: "in_progress",
        to: "in_progress",
        attempt: 1,
        workerId: worker.workerId,
        event: paid,
      })
    })

    it("is recorded of attempts that failed too, each with its own attempt", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish({ ...failed(await worker.claimOne()), events: [paid] })
      await worker.finish({ ...failedForGood(await worker.claimOne()), events: [sent] })
      const rows = await listTransitions(opened.database, taskId)
      expect(rows.flatMap(({ event, attempt }) => (event === null ? [] : [[event.name, attempt]]))).toEqual([
        ["payments.paid", 1],
        ["payments.sent", 2],
      ])
      expect(await store.step(taskId, "only")).toMatchObject({ state: "error", attempts: 2 })
    })

    it("goes with its own outcome, whatever order the rows are taken in", async () => {
      const workflow = await store.define({ only: {} })
      await store.createTasks(Array.from({ length: 5 }, (_, n) => ({ workflow_id: workflow.workflowId, input: n })))
      const worker = await store.worker(workflow)
      const { claimed } = await worker.advance()
      const outcomes = claimed.map((claim, n) => {
        const events = n === 3 ? [] : [{ name: `test.${n}`, payload: n }]
        return { ...(n % 2 === 0 ? completed(claim) : failed(claim)), events }
      })
      await worker.finish(...outcomes.toReversed())
      for (const [n, { taskId }] of claimed.entries()) {
        const rows = await listTransitions(opened.database, taskId)
        const events = rows.flatMap(({ event }) => event ?? [])
        expect(events).toEqual(n === 3 ? [] : [{ name: `test.${n}`, payload: n }])
      }
    })

    it("is dropped with an outcome that was refused", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const [first, second] = [await store.worker(workflow), await store.worker(workflow)]
      const lost = await first.claimOne()
      await first.stop()
      const refused = { ...completed(lost), events: [paid] }
      const kept = await second.claimOne()
      const { lost: keys } = await second.advance({ outcomes: [refused, { ...completed(kept), events: [sent] }] })
      expect(keys).toHaveLength(1)
      expect((await happened(taskId)).filter((line) => line.includes("says"))).toEqual(["only says payments.sent"])
    })
  })

  describe("ownTransitions", () => {
    it("gives what the transaction has written, and nothing from before", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
      const worker = await store.worker(workflow)
      const request = { correlation_id: "c-7" }
      const [taskId, other] = [await store.createTask(workflow, request), await store.createTask(workflow)]
      await worker.finish(failedForGood((await worker.claim()).find((claim) => claim.taskId === taskId)!))
      await store.call("cancel_task", [other, "ann", "no more"], at(4))
      const rows = await opened.database.transaction(async (tx) => {
        const last = await lastTransitionId(tx)
        await store.call("resolve_step", [taskId, "one", null, "ann", "by hand"], at(5), tx)
        return await ownTransitions(tx, last)
      })
      expect(rows.map(({ step, from, to }) => [step, from, to])).toEqual([
        ["one", "error", "resolved_manually"],
        [null, "error", "in_progress"],
      ])
      expect(rows[0]).toMatchObject({
        taskId,
        namespace: "test",
        workflow: workflow.name,
        version: "1.0.0",
        correlationId: "c-7",
        by: "ann",
        reason: "by hand",
        at: at(5),
      })
      expect(await opened.database.transaction((tx) => ownTransitions(tx, 0))).toEqual([])
    })

    // Every worker asks at every heartbeat: what it takes brings the next vacuum against wraparound nearer.
    it("takes no transaction id when nothing was written, as by a rescue that finds nobody lost", async () => {
      const taken = await opened.database.transaction(async (tx) => {
        await rescueSteps(tx)
        expect(await ownTransitions(tx, 0)).toEqual([])
        return await runOne(tx, { text: "select pg_current_xact_id_if_assigned()::text as id" })
      })
      expect(taken).toEqual({ id: null })
    })
  })
})
