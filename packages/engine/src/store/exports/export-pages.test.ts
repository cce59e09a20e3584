import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Queryable } from "../../core/database.ts"
import { testDatabases, type TestDatabase } from "../../database/test-database.ts"
import { migrate } from "../migrate.ts"
import { openTransaction, TestStore, type TestWorkflow } from "../test-store.ts"
import { completed, failedForGood } from "../test-worker.ts"
import { type ExportRange, exportRange } from "./export-range.ts"
import { type ExportedStep, exportSteps, type StepKey } from "./export-steps.ts"
import { type ExportedTask, exportTasks } from "./export-tasks.ts"
import { type ExportedTransition, exportTransitions } from "./export-transitions.ts"
import type { ExportedRows, ExportPage, PageSize } from "./exported-rows.ts"

const MINUTE_MS = 60_000
const TASKS = 30

/** More than any test has. */
const LARGE = 1_000_000

describe.each(testDatabases(migrate))("the pages of an export on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore
  /** Task number i was created i minutes after. Keys are made by the clock, so it must be near. */
  const start = new Date(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 60 * MINUTE_MS)
  const minute = (minutes: number): Date => new Date(start.getTime() + minutes * MINUTE_MS)
  const taskIds: string[] = []

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
    const pair = await store.define({ one: {}, two: { dependsOn: ["one"] } }, { name: "pair" })
    const empty = await store.define({}, { name: "empty" })
    const wide = await store.define(
      Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`step_${index}`, { maxAttempts: 1 }])),
      { name: "wide" },
    )
    const workflows: readonly TestWorkflow[] = [pair, empty, pair, wide, pair]
    for (let index = 0; index < TASKS; index++) {
      const workflow = workflows[index % workflows.length]!
      const request = { input: { text: "x".repeat(100), index }, attributes: { index }, tags: ["all", `tag ${index}`] }
      taskIds.push(await store.createTask(workflow, request, minute(index)))
    }
    const worker = await store.worker([pair, wide], { now: minute(TASKS), leaseMs: 3_600_000 })
    const { claimed } = await worker.advance({ room: 40, now: minute(TASKS) })
    const outcomes = claimed.map((claim, index) =>
      index % 3 === 0 ? failedForGood(claim) : completed(claim, { text: "y".repeat(100) }),
    )
    await worker.advance({ outcomes: outcomes.slice(0, 30), room: 0, now: minute(TASKS + 1) })
  })
  afterAll(async () => await opened.close())

  /** Every page until none is left: those rows that match, and how many pages it took. */
  async function drain<Row, After>(
    first: After,
    read: (after: After) => Promise<ExportPage<Row, After>>,
  ): Promise<{ readonly rows: readonly Row[]; readonly pages: readonly (readonly Row[])[] }> {
    const pages: (readonly Row[])[] = []
    for (let page = await read(first); page.after !== undefined; page = await read(page.after)) pages.push(page.rows)
    return { rows: pages.flat(), pages }
  }

  const readers = {
    async tasks(range: ExportRange, wanted: ExportedRows, size: PageSize, db: Queryable = opened.database) {
      return await drain<ExportedTask, string>(range.afterTask, async (after) => {
        return await exportTasks(db, { ...wanted, after, end: range.endTask, withInput: true }, size)
      })
    },
    async steps(range: ExportRange, wanted: ExportedRows, size: PageSize, db: Queryable = opened.database) {
      const first = { taskId: range.afterTask, stepNo: 32_767 }
      return await drain<ExportedStep, StepKey>(first, async (after) => {
        return await exportSteps(db, { ...wanted, after, end: range.endTask, withResult: true }, size)
      })
    },
    async history(range: ExportRange, wanted: ExportedRows, size: PageSize, db: Queryable = opened.database) {
      return await drain<ExportedTransition, number>(range.afterTransition, async (after) => {
        return await exportTransitions(db, { ...wanted, after, end: range.endTransition, withPayload: true }, size)
      })
    },
  }

  /** The keys that a plain query gives for the same conditions. */
  const references = {
    tasks: `
      select task.task_id::text as key, task.task_id, 0 as no
      from tasker.tasks as task join tasker.workflows as workflow using (workflow_id)
      where ($1::text is null or workflow.name = $1)
        and ($2::timestamptz is null or task.created_at >= $2) and ($3::timestamptz is null or task.created_at < $3)
        and ($4::tasker.state[] is null or task.state = any ($4))
      order by 2`,
    steps: `
      select step.task_id || ' ' || step.step_no as key, step.task_id, step.step_no as no
      from tasker.tasks as task join tasker.workflows as workflow using (workflow_id)
      join tasker.steps as step using (task_id)
      where ($1::text is null or workflow.name = $1)
        and ($2::timestamptz is null or task.created_at >= $2) and ($3::timestamptz is null or task.created_at < $3)
        and ($4::tasker.state[] is null or step.state = any ($4))
      order by 2, 3`,
    history: `
      select transition.transition_id::text as key, transition.transition_id
      from tasker.transitions as transition
      join tasker.tasks as task using (task_id) join tasker.workflows as workflow using (workflow_id)
      where ($1::text is null or workflow.name = $1)
        and ($2::timestamptz is null or transition.at >= $2) and ($3::timestamptz is null or transition.at < $3)
        and $4::tasker.state[] is null
      order by 2`,
  }

  async function reference(what: keyof typeof references, wanted: ExportedRows): Promise<readonly string[]> {
    const rows = await opened.database.query<{ key: string }>({
      text: references[what],
      values: [wanted.workflow, wanted.since, wanted.until, wanted.states],
    })
    return rows.map(({ key }) => key)
  }

  function keyOf(row: ExportedTask | ExportedStep | ExportedTransition): string {
    if ("transitionId" in row) return String(row.transitionId)
    return "stepNo" in row ? `${row.taskId} ${row.stepNo}` : row.taskId
  }

  const filters: readonly (readonly [string, ExportedRows])[] = [
    ["everything", {}],
    ["from a moment on", { since: minute(7) }],
    ["before a moment", { until: minute(22) }],
    ["a period", { since: minute(5), until: minute(6) }],
    ["a period in which nothing happened", { since: minute(-20), until: minute(-10) }],
    ["a workflow", { workflow: "wide" }],
    ["a workflow in a period", { workflow: "pair", since: minute(5), until: minute(25) }],
    ["an unknown workflow", { workflow: "unknown" }],
  ]
  const states: readonly (readonly [string, ExportedRows])[] = [
    ["a state", { states: ["error"] }],
    ["states of a workflow", { states: ["complete", "pending"], workflow: "pair" }],
  ]
  const cases = (["tasks", "steps", "history"] as const).flatMap((what) =>
    [...filters, ...(what === "history" ? [] : states)].map(([name, wanted]) => ({ what, name, wanted })),
  )

  it.each(cases)("$what: $name, each row once and in order, whatever the size of a page", async ({ what, wanted }) => {
    const range = await exportRange(opened.database, wanted)
    const expected = await reference(what, wanted)
    for (const rows of [1, 7, 1_000]) {
      const read = await readers[what](range, wanted, { rows, bytes: LARGE })
      expect(read.rows.map(keyOf)).toEqual(expected)
    }
  })

  it("the cases find something", async () => {
    expect(await reference("steps", { states: ["error"] })).not.toEqual([])
    expect(await reference("history", { since: minute(5), until: minute(6) })).not.toEqual([])
  })

  it.each(["tasks", "steps", "history"] as const)("%s: a page has no more rows than were asked for", async (what) => {
    const range = await exportRange(opened.database, {})
    const { pages } = await readers[what](range, {}, { rows: 5, bytes: LARGE })
    expect(pages.length).toBeGreaterThan(3)
    // The steps of a task that is begun may go on: there are twelve at most.
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(what === "steps" ? 5 + 12 : 5)
  })

  it.each(["tasks", "steps", "history"] as const)("%s: a page ends where it gets too large", async (what) => {
    const range = await exportRange(opened.database, {})
    const all = await readers[what](range, {}, { rows: 1_000, bytes: LARGE })
    const { pages, rows } = await readers[what](range, {}, { rows: 1_000, bytes: 100 })
    expect(rows).toEqual(all.rows)
    expect(all.pages).toHaveLength(1)
    expect(pages.length).toBeGreaterThan(3)
  })

  it.each(["tasks", "steps", "history"] as const)(
    "%s: a page is as large as what is sent, not as what is stored",
    async (what) => {
      const rolledBack = new Error("the test rolls back")
      const log = Array.from({ length: 4_000 }, (_, line) => `2030-01-01T00:00:00Z info request ${line} was handled`)
      const bytes = Buffer.byteLength(JSON.stringify(log))
      const range = await exportRange(opened.database, {})
      const work = opened.database.transaction(async (tx) => {
        const json = JSON.stringify(log)
        await tx.query({ text: "update tasker.tasks set input = $1", values: [json] })
        await tx.query({ text: "update tasker.step_records set result = $1 where result is not null", values: [json] })
        await tx.query({
          text: `
          insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt, cause, event)
          select now(), $1, 'in_progress', 'in_progress', 0, 1, 'published', jsonb_build_object('name', 'a.b', 'payload', $2::jsonb)
          from generate_series(1, 20)`,
          values: [taskIds[0], json],
        })
        const [stored] = await tx.query<{ bytes: number }>({
          text: "select max(pg_column_size(input)) as bytes from tasker.tasks",
        })
        expect(stored?.bytes).toBeLessThan(bytes / 10)
        const whole = { ...range, endTransition: Number.MAX_SAFE_INTEGER }
        const { pages, rows } = await readers[what](whole, {}, { rows: 1_000, bytes: bytes * 2 }, tx)
        const large = pages.map((page) => page.filter((row) => JSON.stringify(row).length > bytes).length)
        expect(Math.max(...large)).toBe(2)
        expect(large.reduce((sum, count) => sum + count, 0)).toBe(what === "tasks" ? TASKS : 20)
        expect(rows.length).toBeGreaterThanOrEqual(20)
        throw rolledBack
      })
      await expect(work).rejects.toBe(rolledBack)
    },
  )

  it("a page that ends where it gets too large loses none that match among those that do not", async () => {
    const wanted: ExportedRows = { states: ["complete"] }
    const range = await exportRange(opened.database, {})
    for (const what of ["tasks", "steps"] as const) {
      const { rows } = await readers[what](range, wanted, { rows: 1_000, bytes: 100 })
      expect(rows.map(keyOf)).toEqual(await reference(what, wanted))
    }
  })

  it("one row is read however large it is", async () => {
    const range = await exportRange(opened.database, {})
    const { pages } = await readers.tasks(range, {}, { rows: 1_000, bytes: 1 })
    expect(pages.map((page) => page.length)).toEqual(Array.from({ length: TASKS }, () => 1))
  })

  it("inputs and results come only when they are asked for", async () => {
    const range = await exportRange(opened.database, {})
    const size = { rows: 1_000, bytes: LARGE }
    const bare = await exportTasks(
      opened.database,
      { after: range.afterTask, end: range.endTask, withInput: false },
      size,
    )
    const after = { taskId: range.afterTask, stepNo: 0 }
    const steps = await exportSteps(opened.database, { after, end: range.endTask, withResult: false }, size)
    expect(new Set(bare.rows.map(({ input }) => input))).toEqual(new Set([null]))
    expect(new Set(steps.rows.map(({ result }) => result))).toEqual(new Set([null]))
    const { rows } = await readers.tasks(range, {}, size)
    expect(rows[3]).toMatchObject({ input: { index: 3 }, attributes: { index: 3 }, tags: ["all", "tag 3"] })
    expect((await readers.steps(range, {}, size)).rows.filter(({ result }) => result !== null)).toHaveLength(20)
  })

  it("what is written after the range was asked for is in none of its pages", async () => {
    const range = await exportRange(opened.database, {})
    const rolledBack = new Error("the test rolls back")
    const seen: Record<string, string> = {}
    const work = opened.database.transaction(async (tx) => {
      await tx.query({ text: "select pg_sleep(0.002)" }) // keys are compared by the millisecond
      const late = await store.createTasks([{ namespace: "test", workflow: "pair", input: 1 }], minute(TASKS), tx)
      for (const what of ["tasks", "steps", "history"] as const) {
        const { rows } = await readers[what](range, {}, { rows: 100, bytes: LARGE }, tx)
        if (rows.some(({ taskId }) => taskId === late[0]!.taskId)) seen[what] = "late"
      }
      throw rolledBack
    })
    await expect(work).rejects.toBe(rolledBack)
    expect(seen).toEqual({})
  })

  it("a transition whose transaction began long before it was written is in its period", async () => {
    const { database } = opened
    const overlap = await openTransaction(database, async (tx) => {
      // Two days of history, in which transactions of up to half a day end in any order.
      await tx.query({
        text: `
          insert into tasker.transitions (at, task_id, from_state, to_state, cause)
          select
            now() + number * interval '2 minutes' - (number * 269 % 720) * interval '1 minute',
            $1, 'pending', 'pending', 'paused'
          from generate_series(1, 1440) as number
          order by number`,
        values: [taskIds[0]],
      })
      const found: boolean[] = []
      for (let hours = -12; hours < 48; hours += 6) {
        const since = new Date(Date.now() + hours * 3_600_000)
        const until = new Date(since.getTime() + 3_600_000)
        const range = await exportRange(tx, { since, until })
        const { rows } = await readers.history(range, { since, until }, { rows: 500, bytes: LARGE }, tx)
        const [expected] = await tx.query<{ count: number }>({
          text: "select count(*) as count from tasker.transitions where at >= $1 and at < $2",
          values: [since, until],
        })
        found.push(rows.length === expected!.count)
      }
      return found
    })
    await overlap.rollback()
    expect(overlap.result).toEqual(Array.from({ length: 10 }, () => true))
  })
})
