import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Queryable } from "../core/database.ts"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { advance } from "./advance.ts"
import { feedEnd } from "./feed-end.ts"
import { migrate } from "./migrate.ts"
import { readFeed } from "./read-feed.ts"
import { TestStore } from "./test-store.ts"
import { completed } from "./test-worker.ts"

const TABLES = ["tasks", "step_records", "step_queue", "workflow_steps", "transitions"]

// A worker keeps its plans for as long as it is connected, and often connects to a database that is empty.
describe.each(testDatabases(migrate).filter(({ kind }) => kind !== "pglite"))("plans on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    // One connection, so that the plans of the first call serve the last.
    opened = await open({ poolSize: 1 })
    store = new TestStore(opened.database)
  })
  afterAll(async () => await opened.close())

  /** How many rows of those tables a transaction has read by now, whatever the way. */
  async function rowsRead(tx: Queryable): Promise<number> {
    const [row] = await tx.query<{ count: number }>({
      text: `
        select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as count
        from pg_stat_xact_user_tables where relname = any ($1)`,
      values: [TABLES],
    })
    return row?.count ?? 0
  }

  test("that were made while the tables were empty read no table whole when it has grown", async () => {
    for (const table of TABLES) await opened.database.query({ text: `vacuum analyze tasker.${table}` })
    const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
    const worker = await store.worker(workflow)
    await store.createTask(workflow)
    await worker.finish(completed(await worker.claimOne()))

    const request = { workflow_id: workflow.workflowId, input: null }
    await store.createTasks(Array.from({ length: 3_000 }, () => request))
    const { taskId, stepNo, attempt } = await worker.claimOne()
    const outcome = { taskId, stepNo, attempt, kind: "complete", json: null, delayMs: 0, cause: null } as const
    const readCount = await opened.database.transaction(async (tx) => {
      const before = await rowsRead(tx)
      const { workerId } = worker
      await advance(tx, { workerId, outcomes: [outcome], routes: [], room: 0, expected: [0, 0, 0, 0] })
      return (await rowsRead(tx)) - before
    })
    expect(readCount).toBeLessThan(100)
  })

  test("of a feed that was read while the tables were empty read no table whole either", async () => {
    const workflow = await store.define({ one: {} })
    const request = { position: { head: 0, gaps: [] }, filter: {}, limit: 10 }
    await readFeed(opened.database, request)
    await store.createTasks(Array.from({ length: 3_000 }, () => ({ workflow_id: workflow.workflowId, input: null })))
    const { position } = await feedEnd(opened.database)
    const readCount = await opened.database.transaction(async (tx) => {
      const before = await rowsRead(tx)
      await readFeed(tx, { ...request, position: { ...position, head: position.head - 5 } })
      return (await rowsRead(tx)) - before
    })
    expect(readCount).toBeLessThan(100)
  })
})
