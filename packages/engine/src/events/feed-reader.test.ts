import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { Queryable } from "../core/database.ts"
import { createRedactor } from "../core/redact.ts"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { openTransaction, TestStore, type TestWorkflow } from "../store/test-store.ts"
import { completed, failed, type TestWorker } from "../store/test-worker.ts"
import { type FeedEvent, FeedReader, findFeedStart } from "./feed-reader.ts"

describe.each(testDatabases(migrate))("FeedReader on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let store: TestStore
  let workflow: TestWorkflow
  let worker: TestWorker

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
    workflow = await store.define({ only: { maxAttempts: 1 } })
    worker = await store.worker(workflow)
  })
  // Nothing is ready that a test did not make so.
  beforeEach(async () => {
    await opened.database.query({ text: "delete from tasker.step_queue" })
  })
  afterAll(async () => await opened.close())

  async function reader(start = "now"): Promise<FeedReader> {
    return new FeedReader(
      { database: opened.database, redact: createRedactor() },
      await findFeedStart(opened.database, start),
    )
  }

  const create = async (db: Queryable = opened.database): Promise<string> => {
    const [task] = await store.createTasks([{ workflow_id: workflow.workflowId, input: 1 }], undefined, db)
    return task!.taskId
  }

  /** The tasks that were created according to the next batch. */
  async function createdIn(feed: FeedReader): Promise<readonly string[]> {
    const { events } = await feed.read()
    return events.flatMap(({ name, payload }) => (name === "task.initialize_requested" ? [payload.taskId] : []))
  }

  function inShort(events: readonly FeedEvent[]): readonly string[] {
    return events.map(({ name, payload }) => ("step" in payload ? `${name} ${payload.step}` : name))
  }

  it("gives every event of a task in order, with its facts", async () => {
    const feed = await reader()
    const taskId = await create()
    const claim = await worker.claimOne()
    await worker.finish({ ...completed(claim, 1), events: [{ name: "shop.paid", payload: { cents: 5 } }] })
    const { events } = await feed.read()
    expect(inShort(events)).toEqual([
      "task.initialize_requested",
      "task.start_requested",
      "step.execution_requested only",
      "shop.paid only",
      "step.completed only",
      "task.completed",
    ])
    const facts = { taskId, namespace: "test", workflow: workflow.name, version: "1.0.0", correlationId: taskId }
    for (const { payload } of events) expect(payload).toMatchObject(facts)
    expect(events[3]).toMatchObject({ name: "shop.paid", payload: { attempt: 1, body: { cents: 5 } } })
    expect(events[4]?.payload).toMatchObject({ from: "in_progress", to: "complete", durationMs: 0, maxAttempts: 1 })
    expect((await feed.read()).events).toEqual([])
  })

  it("goes on behind any event, whichever the cursor", async () => {
    const feed = await reader()
    await create()
    await worker.finish(completed(await worker.claimOne()))
    const { events } = await feed.read()
    for (const [index, { cursor }] of events.entries()) {
      const rest = await (await reader(cursor)).read()
      expect(rest.events).toEqual(events.slice(index + 1))
    }
  })

  it("a row that stands for several events comes again until the last of them was given", async () => {
    const feed = await reader()
    await create()
    await worker.finish({ ...failed(await worker.claimOne()), cause: "timeout" })
    const { events } = await feed.read()
    const names = events.map(({ name }) => name)
    const last = ["step.timed_out", "step.failed", "observability.step.max_retries_reached", "task.failed"]
    expect(names.slice(-4)).toEqual(last)
    const behind = async (name: string) =>
      (await (await reader(events.find((event) => event.name === name)!.cursor)).read()).events.map(
        (event) => event.name,
      )
    expect(await behind("step.timed_out")).toEqual(last)
    expect(await behind("step.failed")).toEqual(last)
    expect(await behind("observability.step.max_retries_reached")).toEqual(["task.failed"])
  })

  it("reads as much at once as it was told, and the rest after that", async () => {
    const feed = await reader()
    const tasks = [await create(), await create(), await create()]
    const sizes: number[] = []
    const given: FeedEvent[] = []
    for (let batch = await feed.read(2); batch.rowCount > 0; batch = await feed.read(2)) {
      expect(batch.isFull).toBe(batch.rowCount === 2)
      sizes.push(batch.rowCount)
      given.push(...batch.events)
    }
    expect(sizes).toEqual([2, 1])
    expect(given.map(({ payload }) => "taskId" in payload && payload.taskId)).toEqual(tasks)
  })

  it("from the beginning, gives all that ever happened", async () => {
    const feed = await reader("beginning")
    const count = async () => (await opened.database.query({ text: "select from tasker.transitions" })).length
    let rows = 0
    for (let batch = await feed.read(7); batch.rowCount > 0; batch = await feed.read(7)) rows += batch.rowCount
    expect(rows).toBe(await count())
  })

  it.each([
    ["its task", (taskId: string) => ({ taskId })],
    ["its namespace", () => ({ namespace: "test" })],
    ["its workflow", () => ({ workflow: workflow.name })],
  ])("gives only what is wanted, and moves on all the same: by %s", async (_by, filter) => {
    const position = await findFeedStart(opened.database, "now")
    const taskId = await create()
    const unwanted = { namespace: "other", workflow: "other", taskId: "00000000-0000-7000-8000-000000000000" }
    const wanted = new FeedReader({ database: opened.database, redact: createRedactor() }, position, filter(taskId))
    expect(inShort((await wanted.read()).events)).toEqual(["task.initialize_requested"])
    for (const key of Object.keys(filter(taskId)) as (keyof typeof unwanted)[]) {
      const none = new FeedReader({ database: opened.database, redact: createRedactor() }, position, {
        [key]: unwanted[key],
      })
      expect(await none.read()).toMatchObject({ events: [], rowCount: 1 })
      expect((await none.read()).rowCount).toBe(0)
    }
  })

  it("refuses a cursor of another database, which is ahead of this one", async () => {
    await expect(reader("1.zzzzzz")).rejects.toMatchObject({ code: "TASKER_CURSOR_INVALID" })
  })

  describe.skipIf(kind === "pglite")("what commits late", () => {
    it("comes when it does, and what came meanwhile does not come again", async () => {
      const feed = await reader()
      const late = await openTransaction(opened.database, create)
      const early = await create()
      expect(await createdIn(feed)).toEqual([early])
      expect(await createdIn(feed)).toEqual([])
      await late.commit()
      expect(await createdIn(feed)).toEqual([late.result])
      expect(await createdIn(feed)).toEqual([])
    })

    it("is behind the cursor of an event from before, and of one that came meanwhile", async () => {
      const feed = await reader()
      const before = await feed.read()
      expect(before.events).toEqual([])
      const start = feed.cursor
      const late = await openTransaction(opened.database, create)
      const early = await create()
      const meanwhile = (await feed.read()).events.at(-1)!.cursor
      await late.commit()
      expect(await createdIn(await reader(start))).toEqual([late.result, early])
      const resumed = await reader(meanwhile)
      expect(await createdIn(resumed)).toEqual([late.result])
      expect(await createdIn(resumed)).toEqual([])
    })

    it("comes to one who follows from now on, although its rows were numbered before", async () => {
      const late = await openTransaction(opened.database, create)
      await create()
      const feed = await reader()
      expect(await createdIn(feed)).toEqual([])
      await late.commit()
      expect(await createdIn(feed)).toEqual([late.result])
    })

    // The end of a snapshot is the number after the last transaction that ended: one that began later may have numbered
    // its rows earlier, and be under way.
    it("is waited for although its transaction began after every one that has ended", async () => {
      const feed = await reader()
      let goOn: () => void = () => {}
      const mayGoOn = new Promise<void>((resolve) => (goOn = resolve))
      const older = openTransaction(opened.database, async (tx) => {
        await tx.query({ text: "select pg_current_xact_id()" })
        began()
        await mayGoOn
        return await create(tx)
      })
      let began: () => void = () => {}
      await new Promise<void>((resolve) => (began = resolve))
      const late = await openTransaction(opened.database, create)
      goOn()
      const early = await older
      await early.commit()
      expect(await createdIn(feed)).toEqual([early.result])
      // Nothing else is under way, and nothing new happens: none of these reads may give it up.
      for (let again = 0; again < 3; again++) expect(await createdIn(feed)).toEqual([])
      await late.commit()
      expect(await createdIn(feed)).toEqual([late.result])
    })

    /** Transactions in other databases of the server hold the feed back too, for as long as they run. */
    async function readPastAll(feed: FeedReader): Promise<void> {
      const cursor = async () => (await feed.read(), feed.cursor)
      await expect.poll(cursor).toMatch(/^1\.\w+$/)
    }

    it("is forgotten once it was rolled back, and everybody from then has ended", async () => {
      const feed = await reader()
      const lost = await openTransaction(opened.database, create)
      const other = await openTransaction(opened.database, create)
      const early = await create()
      expect(await createdIn(feed)).toEqual([early])
      await lost.rollback()
      for (let again = 0; again < 2; again++) expect(await createdIn(feed)).toEqual([])
      expect(feed.cursor).toMatch(/^1\.\w+\.\w+/)
      await other.commit()
      expect(await createdIn(feed)).toEqual([other.result])
      await readPastAll(feed)
      expect((await feed.read()).rowCount).toBe(0)
    })

    it("of a transaction with savepoints comes without what was rolled back", async () => {
      const feed = await reader()
      const late = await openTransaction(opened.database, async (tx) => {
        const first = await create(tx)
        await tx.query({ text: "savepoint one" })
        await create(tx)
        await tx.query({ text: "rollback to savepoint one" })
        await tx.query({ text: "savepoint two" })
        const second = await create(tx)
        await tx.query({ text: "release savepoint two" })
        return [first, second]
      })
      const early = await create()
      expect(await createdIn(feed)).toEqual([early])
      for (let again = 0; again < 2; again++) expect(await createdIn(feed)).toEqual([])
      await late.commit()
      expect(await createdIn(feed)).toEqual(late.result)
      await readPastAll(feed)
    })

    it("is read before what comes after it, however little is read at once", async () => {
      const feed = await reader()
      const late = await openTransaction(opened.database, async (tx) => [
        await create(tx),
        await create(tx),
        await create(tx),
      ])
      const early = [await create(), await create()]
      await feed.read()
      await late.commit()
      const newest = await create()
      const given: string[] = []
      for (let ids = await createdOne(feed); ids.length > 0; ids = await createdOne(feed)) given.push(...ids)
      expect(given).toEqual([...late.result, newest])
      expect(early).toHaveLength(2)
    })
  })

  async function createdOne(feed: FeedReader): Promise<readonly string[]> {
    const { events } = await feed.read(1)
    return events.map(({ payload }) => ("taskId" in payload ? payload.taskId : ""))
  }
})
