import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../core/database.ts"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { limitQueue } from "./limit-queue.ts"
import { migrate } from "./migrate.ts"
import { asTaskerError, sqlState } from "./sql-error.ts"
import { at } from "./test-clock.ts"
import { openTransaction, TestStore, type TestWorkflow, untilBlocked } from "./test-store.ts"
import { completed, failed, type TestClaim, type TestWorker } from "./test-worker.ts"

// PGlite has one connection, so nothing there ever waits for a lock.
const kinds = testDatabases(migrate).filter(({ kind }) => kind !== "pglite")

describe.each(kinds)("locks on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open({ poolSize: 24 })
    store = new TestStore(opened.database)
  })
  afterEach(async () => {
    expect(await deadlockCount(opened.database)).toBe(0)
    expect(await store.violations()).toEqual([])
  })
  afterAll(async () => await opened.close())

  it("two workers whose steps are parents of the same child wait for each other only once", async () => {
    const workflow = await store.define({ a: {}, b: {}, child: { dependsOn: ["a", "b"] } })
    const taskId = await store.createTask(workflow)
    const [one, two] = [await store.worker(workflow), await store.worker(workflow)]
    const [first, second] = [await one.claimOne(), await two.claimOne()]
    const held = await openTransaction(opened.database, (db) => one.advance({ outcomes: [completed(first)], db }))
    const turn = two.advance({ outcomes: [completed(second)] })
    await untilBlocked(opened.database)
    await held.commit()
    expect(held.result.names).toEqual([])
    expect((await turn).names).toEqual(["child#1"])
    expect(await store.step(taskId, "child")).toMatchObject({ state: "in_progress", waiting_on: 0 })
  })

  it("a cancel waits for the steps that end, and then cancels their children", async () => {
    const workflow = await store.define({ first: {}, second: { dependsOn: ["first"] } })
    const taskId = await store.createTask(workflow)
    const worker = await store.worker(workflow)
    const claim = await worker.claimOne()
    const held = await openTransaction(opened.database, (db) =>
      worker.advance({ outcomes: [completed(claim)], room: 0, db }),
    )
    const cancel = store.call("cancel_task", [taskId, "ann", null])
    await untilBlocked(opened.database)
    await held.commit()
    expect(await cancel).toBe(true)
    expect(await store.states(taskId)).toEqual({ first: "complete", second: "cancelled" })
  })

  it("steps that end wait for a cancel, and are refused", async () => {
    const workflow = await store.define({ first: {}, second: { dependsOn: ["first"] } })
    const taskId = await store.createTask(workflow)
    const worker = await store.worker(workflow)
    const claim = await worker.claimOne()
    const held = await openTransaction(opened.database, (db) =>
      store.call("cancel_task", [taskId, "ann", null], at(0), db),
    )
    const turn = worker.advance({ outcomes: [completed(claim)] })
    await untilBlocked(opened.database)
    await held.commit()
    expect(await turn).toMatchObject({ claimed: [], ended: [], lost: [{ taskId }] })
  })

  it("a claim never waits: what an operator has locked is passed over", async () => {
    const workflow = await store.define({ only: {} })
    const [locked, free] = [await store.createTask(workflow), await store.createTask(workflow, {}, at(1))]
    const worker = await store.worker(workflow)
    const held = await openTransaction(opened.database, (db) =>
      store.call("pause_task", [locked, "ann", null], at(0), db),
    )
    expect((await worker.claim(10, at(2))).map(({ taskId }) => taskId)).toEqual([free])
    await held.commit()
    expect(await worker.claim(10, at(2))).toEqual([])
  })

  it("a limit is set, changed and lifted while workers claim", async () => {
    const workflow = await store.define({ only: {} })
    await store.createTasks(Array.from({ length: 6 }, () => ({ workflow_id: workflow.workflowId, input: 1 })))
    const [one, two] = [await store.worker(workflow), await store.worker(workflow)]
    for (const [before, after] of [
      [null, 2],
      [2, 3],
      [3, null],
    ] as const) {
      await limitQueue(opened.database, workflow.queue, before)
      const held = await openTransaction(opened.database, (db) => one.advance({ room: 1, db }))
      const limiting = limitQueue(opened.database, workflow.queue, after)
      await untilBlocked(opened.database)
      const claiming = two.advance({
        outcomes: [completed({ taskId: "00000000-0000-7000-8000-000000000000", stepNo: 0, attempt: 1 })],
        room: 1,
      })
      // The claim waits behind whoever limits the queue, unless it was quicker.
      await Promise.race([claiming, untilBlocked(opened.database, 2)])
      await held.commit()
      expect(await limiting).toBe(true)
      for (const claim of [...held.result.claimed, ...(await claiming).claimed]) {
        const owner = held.result.claimed.includes(claim) ? one : two
        await owner.finish(completed(claim))
      }
    }
  })

  it("a storm of workers and operators never deadlocks, and no step is held twice", async () => {
    const workflow = await store.define({
      a: { skippable: true },
      b: { dependsOn: ["a"] },
      c: { dependsOn: ["a"], skippable: true, maxAttempts: 2 },
      d: { dependsOn: ["b", "c"] },
      e: { dependsOn: ["a"] },
      f: { dependsOn: ["d", "e"] },
    })
    const storm = new Storm(store, workflow)
    await storm.blow()
    expect(storm.failures).toEqual([])
    expect(storm.turns).toBeGreaterThan(50)
    const overlapping = await opened.database.query({
      text: `
        select this.task_id, this.step_no from (
          select task_id, step_no, to_state, lead(from_state) over (partition by task_id, step_no order by transition_id) as left_as
          from tasker.transitions where step_no is not null
        ) as this
        where this.to_state = 'in_progress' and this.left_as <> 'in_progress'`,
    })
    expect(overlapping).toEqual([])
  })
})

async function deadlockCount(database: Database): Promise<number> {
  // The counter is written when a session is idle; this asks for it now.
  const [row] = await database.query<{ deadlocks: number }>({
    text: "select deadlocks from pg_stat_database where datname = current_database()",
  })
  return row?.deadlocks ?? Number.NaN
}

const TASK_COUNT = 12

/** Three workers and four operators on a dozen tasks, all at once, until every task has ended. */
class Storm {
  readonly failures: unknown[] = []
  turns = 0
  readonly #store: TestStore
  readonly #workflow: TestWorkflow
  #tasks: readonly string[] = []
  #random = 1
  #isOver = false

  constructor(store: TestStore, workflow: TestWorkflow) {
    this.#store = store
    this.#workflow = workflow
  }

  async blow(): Promise<void> {
    const requests = Array.from({ length: TASK_COUNT }, () => ({ workflow_id: this.#workflow.workflowId, input: 1 }))
    this.#tasks = (await this.#store.createTasks(requests)).map(({ taskId }) => taskId)
    const workers = [0, 1, 2].map(async () => await this.#work(await this.#store.worker(this.#workflow)))
    const operators = [0, 1, 2, 3].map(async () => await this.#operate())
    await Promise.all(operators)
    this.#isOver = true
    await Promise.all(workers)
  }

  async #work(worker: TestWorker): Promise<void> {
    let held: readonly TestClaim[] = []
    while (!this.#isOver || held.length > 0) {
      const ending = held.slice(0, 4)
      const outcomes = ending.map((claim) => (this.#draw(5) === 0 ? failed(claim) : completed(claim, claim.attempt)))
      const turn = await this.#attempt(() => worker.advance({ outcomes, room: this.#isOver ? 0 : 6 }))
      held = [...held.slice(ending.length), ...(turn?.claimed ?? [])]
      this.turns += 1
    }
  }

  async #operate(): Promise<void> {
    for (let action = 0; action < 60; action++) {
      const taskId = this.#tasks[this.#draw(TASK_COUNT)]
      const step = "abcdef"[this.#draw(6)]
      const actions: readonly (readonly [string, readonly unknown[]])[] = [
        ["pause_task", [taskId, "op", null]],
        ["resume_task", [taskId, "op", null]],
        ["resume_task", [taskId, "op", null]],
        ["retry_steps", [taskId, null, "op", null]],
        ["retry_steps", [taskId, step, "op", null]],
        ["skip_step", [taskId, step, "op", null]],
        ["resolve_step", [taskId, step, '{"by":"hand"}', "op", null]],
        ["pause_queue", [this.#workflow.queue, this.#draw(2) === 0, "op", null]],
      ]
      const [name, values] = actions[this.#draw(actions.length)] ?? ["resume_task", [taskId, "op", null]]
      if (this.#draw(12) === 0) await this.#attempt(() => this.#store.call("cancel_task", [taskId, "op", null]))
      else if (this.#draw(10) === 0)
        await this.#attempt(() =>
          limitQueue(this.#store.database, this.#workflow.queue, [null, 1, 3][this.#draw(3)] ?? null),
        )
      else await this.#attempt(() => this.#store.call(name, values))
    }
  }

  /** A refusal is an answer; anything else is a failure. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      const state = sqlState(asTaskerError(error))
      if (state === undefined || !state.startsWith("TASKER_")) this.failures.push(error)
      return undefined
    }
  }

  #draw(count: number): number {
    // Park and Miller's: the same storm in every run, but for the order that the server gives it.
    this.#random = (this.#random * 48_271) % 2_147_483_647
    return this.#random % count
  }
}
