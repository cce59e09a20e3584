import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Queryable } from "../core/database.ts"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { exportRange } from "./exports/export-range.ts"
import { exportSteps } from "./exports/export-steps.ts"
import { exportTasks } from "./exports/export-tasks.ts"
import { exportTransitions } from "./exports/export-transitions.ts"
import { feedEnd } from "./feed-end.ts"
import { oldestReadySteps } from "./analytics/oldest-ready-steps.ts"
import { standingFailures } from "./analytics/standing-failures.ts"
import { taskGraph } from "./analytics/task-graph.ts"
import { listSteps } from "./list-steps.ts"
import { listTransitions } from "./list-transitions.ts"
import { measureQueues } from "./measure-queues.ts"
import { migrate } from "./migrate.ts"
import { lastTransitionId, ownTransitions } from "./own-transitions.ts"
import { readFeed } from "./read-feed.ts"
import { readOutcomes } from "./read-outcomes.ts"
import { readTask } from "./read-task.ts"
import { taskExecutionContexts } from "./task-execution-contexts.ts"
import { at } from "./test-clock.ts"
import { TestStore, type TestWorkflow } from "./test-store.ts"
import { completed, failed, type TestWorker } from "./test-worker.ts"

/** Tables that grow with what is done: nothing that is called often may read one of them whole. */
const LARGE_TABLES = ["tasks", "step_records", "step_queue", "transitions"]

const BACKLOG = 3_000

/** A page of an export, from the first task on. */
const FIRST = "00000000-0000-0000-0000-000000000000"
const PAGE = { end: "ffffffff-ffff-ffff-ffff-ffffffffffff", since: at(0), until: at(9) }
const SIZE = { rows: 10, bytes: 1_000_000 }

describe.each(testDatabases(migrate))("plans on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore
  let workflow: TestWorkflow
  let worker: TestWorker

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
    workflow = await store.define({ one: { skippable: true, maxAttempts: 2 }, two: { dependsOn: ["one"] } })
    worker = await store.worker(workflow)
    const requests = Array.from({ length: BACKLOG }, (_request, index) => ({
      workflow_id: workflow.workflowId,
      input: index,
      identity_key: `key ${index}`,
    }))
    await store.createTasks(requests)
    // As in a system that has worked for a while: some steps have ended, and are recorded.
    const { claimed } = await worker.advance({ room: BACKLOG / 2 })
    await worker.finish(...claimed.map((claim) => completed(claim)))
    await opened.database.script(
      "analyze tasker.tasks; analyze tasker.step_records; analyze tasker.step_queue; analyze tasker.transitions",
    )
  })
  afterAll(async () => await opened.close())

  /** The large tables that some work read whole. */
  async function tablesRead(work: (tx: Queryable) => Promise<unknown>): Promise<readonly string[]> {
    return await opened.database.transaction(async (tx) => {
      const before = await scans(tx)
      await work(tx)
      const after = await scans(tx)
      return LARGE_TABLES.filter((table) => after.get(table) !== before.get(table))
    })
  }

  async function scans(tx: Queryable): Promise<ReadonlyMap<string, number>> {
    const rows = await tx.query<{ relname: string; seq_scan: number }>({
      text: "select relname::text, seq_scan from pg_stat_xact_user_tables where schemaname = 'tasker'",
    })
    return new Map(rows.map(({ relname, seq_scan: count }) => [relname, count]))
  }

  const note = ["ann", "why"]
  const gaps = [1, 50, 900].map((low) => ({ low, high: low + 20 }))
  const feedRequest = { position: { head: 4_000, gaps }, filter: {}, limit: 100 }
  const operations: readonly (readonly [string, (tx: Queryable, taskId: string) => Promise<unknown>])[] = [
    [
      "creating tasks",
      async (tx) => await store.createTasks([{ workflow_id: workflow.workflowId, input: 1 }], at(0), tx),
    ],
    [
      "creating a task that stands already",
      async (tx) =>
        await store.createTasks([{ workflow_id: workflow.workflowId, input: 1, identity_key: "key 7" }], at(0), tx),
    ],
    [
      "creating a task in place of one that failed",
      async (tx) =>
        await store.createTasks(
          [{ workflow_id: workflow.workflowId, input: 1, identity_key: "key 8", on_failed: "create" }],
          at(0),
          tx,
        ),
    ],
    [
      "creating a task with a bypassed step",
      async (tx) =>
        await store.createTasks(
          [{ workflow_id: workflow.workflowId, input: 1, bypass: ["one"], run_at: at(9) }],
          at(0),
          tx,
        ),
    ],
    ["claiming", async (db) => await worker.advance({ room: 5, db })],
    ["claiming nothing, and saying what is next", async (db) => await worker.advance({ room: 5, now: at(-1), db })],
    [
      "completing and failing",
      async (db) => {
        const { claimed } = await worker.advance({ room: 4, db })
        const outcomes = claimed.map((claim, index) => ({
          ...(index % 2 === 0 ? completed(claim, index) : failed(claim)),
          events: [{ name: "test.event", payload: index }],
        }))
        await worker.advance({ outcomes, room: 2, db })
      },
    ],
    [
      "a heartbeat",
      async (tx) =>
        await tx.query({
          text: "select * from tasker.heartbeat($1, '{}', '{}', '{}', $2)",
          values: [worker.workerId, at(1)],
        }),
    ],
    ["a rescue when nobody is lost", async (tx) => await store.rescue(at(2), tx)],
    ["cancel_task", async (tx, taskId) => await store.call("cancel_task", [taskId, ...note], at(1), tx)],
    ["pause_task", async (tx, taskId) => await store.call("pause_task", [taskId, ...note], at(1), tx)],
    ["resume_task", async (tx, taskId) => await store.call("resume_task", [taskId, ...note], at(1), tx)],
    ["retry_steps", async (tx, taskId) => await store.call("retry_steps", [taskId, null, ...note], at(1), tx)],
    ["skip_step", async (tx, taskId) => await store.call("skip_step", [taskId, "one", ...note], at(1), tx)],
    ["resolve_step", async (tx, taskId) => await store.call("resolve_step", [taskId, "one", "1", ...note], at(1), tx)],
    ["reading a task", async (tx, taskId) => await readTask(tx, taskId)],
    ["listing its steps", async (tx, taskId) => await listSteps(tx, taskId)],
    ["listing its history", async (tx, taskId) => await listTransitions(tx, taskId)],
    ["what a transaction wrote", async (tx) => await ownTransitions(tx, await lastTransitionId(tx))],
    ["where history ends", async (tx) => await feedEnd(tx)],
    ["following it, with gaps", async (tx) => await readFeed(tx, feedRequest)],
    ["following one task", async (tx, taskId) => await readFeed(tx, { ...feedRequest, filter: { taskId } })],
    ["following one namespace", async (tx) => await readFeed(tx, { ...feedRequest, filter: { namespace: "none" } })],
    ["its execution context", async (tx, taskId) => await taskExecutionContexts(tx, [taskId])],
    ["measuring the queues", async (tx) => await measureQueues(tx, 100)],
    ["finding what an export reads", async (tx) => await exportRange(tx, { since: at(0), until: at(9) })],
    [
      "a page of an export of tasks",
      async (tx) => await exportTasks(tx, { ...PAGE, after: FIRST, withInput: true }, SIZE),
    ],
    [
      "a page of an export of a workflow's tasks",
      async (tx) => await exportTasks(tx, { ...PAGE, after: FIRST, withInput: false, workflow: workflow.name }, SIZE),
    ],
    [
      "a page of an export of steps",
      async (tx) => await exportSteps(tx, { ...PAGE, after: { taskId: FIRST, stepNo: 0 }, withResult: true }, SIZE),
    ],
    [
      "a page of an export of history",
      async (tx) => await exportTransitions(tx, { after: 1_000, end: 1_000_000, withPayload: true }, SIZE),
    ],
    ["its graph and all that happened to it", async (tx, taskId) => await taskGraph(tx, taskId)],
    ["what failed of late", async (tx) => await standingFailures(tx, 1_000)],
    ["the oldest ready step of each queue", async (tx) => await oldestReadySteps(tx)],
    ["how it ended", async (tx, taskId) => await readOutcomes(tx, [taskId])],
  ]

  it.each(operations)("%s reads by index only", async (_what, work) => {
    const [task] = await store.createTasks([{ workflow_id: workflow.workflowId, input: 1 }])
    expect(await tablesRead(async (tx) => await work(tx, task!.taskId))).toEqual([])
  })

  it("this test can fail", async () => {
    expect(
      await tablesRead(
        async (tx) => await tx.query({ text: "select count(*) from tasker.step_records where attempts > 5" }),
      ),
    ).toEqual(["step_records"])
  })
})
