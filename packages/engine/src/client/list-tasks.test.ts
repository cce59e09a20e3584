import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Database, Queryable } from "../core/database.ts"
import { TASK_STATES } from "../core/state.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import type { ClosableClient } from "./create-client.ts"
import type { ListTasksFilter } from "./list-tasks.ts"
import { createTestBench, diamond, errorJson, single, type TestBench } from "./test-bench.ts"

describe.each(testDatabases(migrate))("on $kind", ({ kind, open }) => {
  let database: Database
  let bench: TestBench
  let close: () => Promise<void>
  /** By what was done to it. */
  const ids: Record<string, string> = {}

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = () => opened.close()
    bench = await createTestBench(database, [diamond, single])
    const create = async (name: string, options = {}) => {
      ids[name] = (await bench.client.createTask(diamond, { n: 1 }, options)).taskId
    }
    await create("complete", { tags: ["eu", "gift"], attributes: { cart: { id: 7 }, vip: true } })
    await create("failed", { tags: ["eu"] })
    await create("settled")
    await create("cancelled", { attributes: { cart: { id: 8 } } })
    await create("retried")
    await bench.client.cancelTask(ids["cancelled"] ?? "")
    await bench.drain((step, name) =>
      name === "left" && [ids["failed"], ids["settled"], ids["retried"]].includes(step.taskId)
        ? { kind: "error", json: errorJson("no") }
        : {},
    )
    await bench.client.resolveTask(ids["settled"] ?? "")
    await bench.client.retryTask(ids["retried"] ?? "")
    await bench.drain()
    await create("running")
    await bench.run(ids["running"] ?? "", "start")
    await create("pending", { runAt: new Date(Date.now() + 3_600_000) })
    ids["single"] = (
      await bench.client.createTask(single, { a: 1 }, { runAt: new Date(Date.now() + 3_600_000) })
    ).taskId
  })

  afterAll(() => close())

  async function listed(filter: ListTasksFilter): Promise<readonly string[]> {
    const names = new Map(Object.entries(ids).map(([name, id]) => [id, name]))
    const { tasks } = await bench.client.listTasks(filter)
    expect(tasks.map(({ taskId }) => taskId)).toEqual(
      tasks
        .map(({ taskId }) => taskId)
        .toSorted()
        .toReversed(),
    )
    return tasks.map(({ taskId }) => names.get(taskId) ?? "unknown").toSorted()
  }

  test.each<readonly [ListTasksFilter, readonly string[]]>([
    [{}, ["cancelled", "complete", "failed", "pending", "retried", "running", "settled", "single"]],
    [{ state: "error" }, ["failed"]],
    [{ state: "complete" }, ["complete", "retried"]],
    [{ state: "pending" }, ["pending", "single"]],
    [{ state: ["pending", "in_progress"] }, ["pending", "running", "single"]],
    [{ state: ["error", "cancelled", "in_progress"] }, ["cancelled", "failed", "running"]],
    [{ state: "resolved_manually" }, ["settled"]],
    [{ state: [...TASK_STATES], workflow: "single" }, ["single"]],
    [{ state: "pending", workflow: "single" }, ["single"]],
    [{ namespace: "shop", workflow: "diamond", version: "1.0.0", state: "complete" }, ["complete", "retried"]],
    [{ namespace: "other" }, []],
    [{ version: "2.0.0" }, []],
    [{ tag: "eu" }, ["complete", "failed"]],
    [{ tag: ["gift", "eu"] }, ["complete"]],
    [{ tag: "eu", state: "error" }, ["failed"]],
    [{ attributes: { cart: { id: 7 } } }, ["complete"]],
    [{ attributes: { vip: false } }, []],
    [{ createdUntil: new Date(0) }, []],
    [{ createdSince: new Date(Date.now() - 600_000), workflow: "single" }, ["single"]],
    [{ createdSince: new Date(Date.now() + 600_000) }, []],
    [{ state: [], tag: [], workflow: "single" }, ["single"]],
  ])("lists by %j", async (filter, expected) => {
    expect(await listed(filter)).toEqual(expected)
  })

  test("gives every task once over all pages, however it is filtered", async () => {
    for (const filter of [
      {},
      { workflow: "diamond" },
      { state: ["pending", "in_progress", "error", "cancelled"] },
    ] as const) {
      const all = (await bench.client.listTasks(filter)).tasks.map(({ taskId }) => taskId)
      const seen: string[] = []
      let cursor: string | null | undefined
      do {
        const page = await bench.client.listTasks({ ...filter, limit: 2, cursor: cursor ?? undefined })
        expect(page.tasks.length).toBeGreaterThan(0)
        seen.push(...page.tasks.map(({ taskId }) => taskId))
        cursor = page.nextCursor
      } while (cursor !== null)
      expect(seen).toEqual(all)
    }
  })

  test("gives no page of a cursor that it did not return", async () => {
    for (const cursor of ["", "x", "dGFza3M6", Buffer.from("tasks:no").toString("base64url"), `${ids["failed"]}`]) {
      await expect(bench.client.listTasks({ cursor })).rejects.toMatchObject({ code: "TASKER_CURSOR_INVALID" })
    }
  })

  test("refuses filters that there are not", async () => {
    for (const filter of [
      { limit: 0 },
      { limit: 501 },
      { state: "paused" },
      { stat: "error" },
      { namespace: "Shop" },
      { tag: [1] },
      { createdSince: "today" },
    ]) {
      // What a user without a compiler may pass.
      await expect(bench.client.listTasks(filter as ListTasksFilter)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
      })
    }
  })

  describe("getTask, getSteps, getHistory, getExecutionContext", () => {
    test("refuse a task that does not exist, and what is no task id", async () => {
      const missing = "01900000-0000-7000-8000-000000000000"
      for (const read of ["getTask", "getSteps", "getHistory", "getExecutionContext"] as const) {
        await expect(bench.client[read](missing)).rejects.toMatchObject({
          code: "TASKER_TASK_NOT_FOUND",
          details: { taskId: missing },
        })
        await expect(bench.client[read]("1; drop table")).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
      }
      expect(await bench.client.getExecutionContexts([missing])).toEqual([])
    })

    test("tell the whole history in order, with who and why", async () => {
      const history = await bench.client.getHistory(ids["retried"] ?? "")
      expect(history.map(({ transitionId }) => transitionId)).toEqual(
        history.map(({ transitionId }) => transitionId).toSorted((one, other) => one - other),
      )
      expect(history.filter(({ step }) => step === null).map(({ from, to, cause }) => [from, to, cause])).toEqual([
        [null, "pending", null],
        ["pending", "in_progress", null],
        ["in_progress", "error", null],
        ["error", "in_progress", "retried"],
        ["in_progress", "complete", null],
      ])
      expect(history.filter(({ step }) => step === "left")).toMatchObject([
        { from: "pending", to: "in_progress", attempt: 1, workerId: bench.workerId },
        { from: "in_progress", to: "error", attempt: 1, error: { message: "no" } },
        { from: "error", to: "pending", cause: "retried", workerId: null },
        { from: "pending", to: "in_progress", attempt: 2 },
        { from: "in_progress", to: "complete", attempt: 2, error: null },
      ])
    })
  })

  test.skipIf(kind === "pglite")("reads no table whole, whatever the filter", { timeout: 60_000 }, async () => {
    for (let batch = 0; batch < 5; batch++) {
      await bench.client.createTasks(
        diamond,
        Array.from({ length: 2_000 }, () => ({ input: { n: 1 } })),
      )
    }
    // History: complete, and in nobody's queue.
    await database.query({ text: "delete from tasker.step_queue where task_id > $1::uuid", values: [ids["single"]] })
    await database.query({
      text: "update tasker.tasks set state = 'complete', active_steps = 0, finished_at = now() where task_id > $1::uuid",
      values: [ids["single"]],
    })
    await database.script("vacuum analyze tasker.tasks")
    await database.script("analyze")
    const readWhole = (read: (client: ClosableClient, tx: Queryable) => Promise<unknown>) =>
      database.transaction(async (tx) => {
        const { client } = await createTestBench(
          { ...databaseOf(database), query: (statement) => tx.query(statement) },
          [],
        )
        // Counts of transactions before may not have been handed in yet.
        const before = await rowsRead(tx)
        await read(client, tx)
        const after = await rowsRead(tx)
        return [...after].flatMap(([table, rows]) => {
          const count = rows - (before.get(table) ?? 0)
          return count > 500 ? [`${table}: ${count}`] : []
        })
      })
    // This way of asking does notice.
    expect(await readWhole((_, tx) => tx.query({ text: "select count(input) from tasker.tasks" }))).toEqual([
      "tasks: 10008",
    ])
    for (const filter of [
      {},
      { workflow: "single" },
      { namespace: "shop" },
      { state: "error" },
      { state: ["pending", "in_progress"] },
      { state: ["cancelled", "resolved_manually"], workflow: "diamond" },
      { state: "complete" },
      { tag: "eu" },
      { attributes: { cart: { id: 7 } } },
      { createdUntil: new Date(Date.now() - 7 * 86_400_000) },
    ] as const) {
      expect([filter, await readWhole((client) => client.listTasks({ limit: 10, ...filter }))]).toEqual([filter, []])
    }
  })
})

/** The methods of a database, so that one can be replaced. */
function databaseOf(database: Database): Database {
  return {
    kind: database.kind,
    displayUrl: database.displayUrl,
    joinUrl: database.joinUrl,
    query: (statement) => database.query(statement),
    queryWithin: (statement, timeoutMs) => database.queryWithin(statement, timeoutMs),
    poolUse: () => database.poolUse(),
    probeListener: (timeoutMs) => database.probeListener(timeoutMs),
    transaction: (work) => database.transaction(work),
    reserve: () => database.reserve(),
    script: (sql) => database.script(sql),
    listen: (channel, onNotify, onReset) => database.listen(channel, onNotify, onReset),
    close: () => database.close(),
  }
}

/** How many rows this session has read of each table. */
async function rowsRead(tx: Queryable): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ relname: string; rows: number }>({
    text: `
      select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as rows
      from pg_stat_xact_user_tables
      where schemaname = 'tasker'`,
  })
  return new Map(rows.map((row) => [row.relname, row.rows]))
}
