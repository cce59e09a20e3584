import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Database, Queryable } from "../core/database.ts"
import { createRedactor } from "../core/redact.ts"
import { eventsOfTransition, type TransitionFacts } from "../core/events/transition-event.ts"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { at } from "../store/test-clock.ts"
import { TestStore, type TestWorkflow } from "../store/test-store.ts"
import { completed, failed, type TestClaim, type TestOutcome } from "../store/test-worker.ts"
import { type FeedEvent, FeedReader, findFeedStart } from "./feed-reader.ts"

// Another one in every run. TASKER_SEED brings one back, as far as the database plays along.
const seed = Number(process.env["TASKER_SEED"] ?? Date.now() % 1_000_000)
/** How much is done at random, not for how long: a busy machine is to do as much. */
const ACTS = 2_000
const kinds = testDatabases(migrate).filter(({ kind }) => kind !== "pglite")

interface HistoryRow {
  readonly transition_id: number
  readonly task_id: string
  readonly step_no: number | null
  readonly to_state: string
}

describe.each(kinds)(`a feed of transactions at random on $kind, seed ${seed}`, ({ open }) => {
  let opened: TestDatabase
  let store: TestStore
  let workflow: TestWorkflow
  const random = randomNumbers(seed)

  beforeAll(async () => {
    opened = await open({ poolSize: 14 })
    store = new TestStore(opened.database)
    const wide = { b: { dependsOn: ["a"] }, c: { dependsOn: ["a"] }, d: { dependsOn: ["a"] } }
    workflow = await store.define({ a: {}, ...wide, e: { dependsOn: ["b", "c", "d"] } })
  })
  afterAll(async () => await opened.close())

  /** Keeps a transaction open for as long as some other work takes. */
  async function dawdle(db: Queryable): Promise<void> {
    for (let turns = random(6); turns > 0; turns--) await db.query({ text: "select 1" })
  }

  const rolledBack = new Error("rolled back at random")

  async function inTransaction(work: (tx: Queryable) => Promise<void>): Promise<boolean> {
    try {
      await opened.database.transaction(async (tx) => {
        await work(tx)
        await dawdle(tx)
        if (random(5) === 0) throw rolledBack
      })
      return true
    } catch (error) {
      if (error !== rolledBack) throw error
      return false
    }
  }

  async function createTasks(): Promise<void> {
    await inTransaction(async (tx) => {
      for (let count = random(3); count >= 0; count--) {
        await tx.query({ text: "savepoint one" })
        await store.createTasks([{ workflow_id: workflow.workflowId, input: 1 }], at(0), tx)
        if (random(4) === 0) await tx.query({ text: "rollback to savepoint one" })
        if (random(3) === 0) await dawdle(tx)
      }
    })
  }

  /** A worker that now and then has its whole turn rolled back, and does it again. */
  async function startWorking(): Promise<() => Promise<void>> {
    const worker = await store.worker(workflow)
    const held = new Set<TestClaim>()
    return async () => {
      const outcomes = [...held]
        .filter(() => random(2) === 0)
        .map((claim): TestOutcome & { claim: TestClaim } => ({
          ...(random(6) === 0 ? failed(claim) : completed(claim)),
          claim,
        }))
      let claimed: readonly TestClaim[] = []
      const isDone = await inTransaction(async (tx) => {
        claimed = (await worker.advance({ outcomes, room: random(4), db: tx })).claimed
      })
      if (!isDone) return
      for (const { claim } of outcomes) held.delete(claim)
      for (const claim of claimed) held.add(claim)
    }
  }

  async function operate(): Promise<void> {
    const [task] = await opened.database.query<{ task_id: string }>({
      text: "select task_id from tasker.tasks order by random() limit 1",
    })
    if (task === undefined) return
    const call = ["pause_task", "resume_task", "cancel_task", "retry_steps"][random(4)] ?? ""
    const values = [task.task_id, ...(call === "retry_steps" ? [null] : []), "ann", null]
    // A task that has ended refuses most of it.
    await inTransaction(async (tx) => void (await store.call(call, values, at(0), tx))).catch(() => {})
  }

  async function history(): Promise<readonly HistoryRow[]> {
    return await opened.database.query<HistoryRow>({ text: "select * from tasker.transitions order by transition_id" })
  }

  it("gives each row once, in order, and nothing less behind any cursor", async () => {
    const follower = await recordFeed(opened.database, "beginning")
    const read = async (): Promise<void> => await follower.read(random(30) + 1)
    const actors = [createTasks, createTasks, createTasks, operate, read]
    for (let workers = 0; workers < 4; workers++) actors.push(await startWorking())
    let acts = 0
    await Promise.all(
      actors.map(async (act) => {
        while (acts < ACTS) {
          acts++
          await act()
        }
      }),
    )
    await follower.readAll()
    const rows = await history()
    expect(rows.length).toBeGreaterThan(100)
    expect(follower.rows.toSorted((a, b) => a - b)).toEqual(rows.map((row) => row.transition_id))
    expect(misplaced(follower.rows, rows, workflow)).toEqual([])

    for (let count = 0; count < 20; count++) {
      const index = random(follower.events.length)
      const { event, isLast } = follower.events[index]!
      const given = new Set(
        follower.rows.slice(0, follower.rows.indexOf(follower.events[index]!.row) + (isLast ? 1 : 0)),
      )
      const resumed = await recordFeed(opened.database, event.cursor)
      await resumed.readAll()
      expect(resumed.rows).toEqual(rows.map((row) => row.transition_id).filter((id) => !given.has(id)))
    }
    expect(await store.violations()).toEqual([])
  }, 60_000)
})

/** Whole numbers from 0 on, less than what is asked for: the same for the same seed. */
function randomNumbers(start: number): (below: number) => number {
  let state = start
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

interface RecordedEvent {
  readonly event: FeedEvent
  readonly row: number
  readonly isLast: boolean
}

/** A feed that notes the rows that it gave, and the row of each event. */
async function recordFeed(database: Database, start: string) {
  const rows: number[] = []
  const events: RecordedEvent[] = []
  let latest: readonly (TransitionFacts & { readonly transitionId: number | null })[] = []
  const recorded: Queryable = {
    async query<Row>(statement: Parameters<Queryable["query"]>[0]) {
      const answer = await database.query<Row>(statement)
      // Only rows of the feed are read through it.
      latest = answer as typeof latest
      return answer
    },
  }
  const reader = new FeedReader({ database: recorded, redact: createRedactor() }, await findFeedStart(database, start))
  async function read(limit: number): Promise<number> {
    const batch = await reader.read(limit)
    const stood = latest.flatMap(({ transitionId, ...facts }) => {
      if (transitionId === null) return []
      rows.push(transitionId)
      const count = eventsOfTransition(facts).length
      return Array.from({ length: count }, (_event, index) => ({ row: transitionId, isLast: index === count - 1 }))
    })
    expect(batch.events).toHaveLength(stood.length)
    for (const [index, event] of batch.events.entries()) events.push({ event, ...stood[index]! })
    return batch.rowCount
  }
  return {
    rows,
    events,
    read: async (limit: number) => void (await read(limit)),
    readAll: async () => {
      while ((await read(50)) > 0);
    },
  }
}

/** Rows that came too early: before one of the same thing with a lower number, or before what they follow from. */
function misplaced(order: readonly number[], rows: readonly HistoryRow[], workflow: TestWorkflow): readonly string[] {
  const byId = new Map(rows.map((row) => [row.transition_id, row]))
  const problems: string[] = []
  const last = new Map<string, number>()
  const states = new Map<string, string>()
  for (const id of order) {
    const row = byId.get(id)!
    const thing = `${row.task_id} ${row.step_no ?? "task"}`
    if ((last.get(thing) ?? 0) > id) problems.push(`${thing}: ${id} after ${last.get(thing)}`)
    last.set(thing, id)
    const task = states.get(`${row.task_id} task`)
    if (row.step_no !== null && (task === undefined || ["complete", "cancelled"].includes(task))) {
      problems.push(`${thing}: ${row.to_state} while the task is ${task}`)
    }
    if (row.step_no !== null && row.to_state === "in_progress") {
      const parents = workflow.steps[row.step_no]?.dependsOn ?? []
      const open = parents.filter((name) => {
        const stepNo = workflow.steps.findIndex((step) => step.name === name)
        return states.get(`${row.task_id} ${stepNo}`) !== "complete"
      })
      if (open.length > 0) problems.push(`${thing}: started before ${open.join()}`)
    }
    states.set(thing, row.to_state)
  }
  return problems
}
