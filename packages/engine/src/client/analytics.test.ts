import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Database } from "../core/database.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { createTestBench, diamond, errorJson, single, type TestBench } from "./test-bench.ts"

const MINUTE_MS = 60_000

describe.each(testDatabases(migrate))("on $kind", ({ kind, open }) => {
  let database: Database
  let bench: TestBench
  let close: () => Promise<void>
  /** When the history of this test begins: an hour ago. */
  const since = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 60 * MINUTE_MS)
  const until = new Date(since.getTime() + 60 * MINUTE_MS)
  const at = (minutes: number) => new Date(since.getTime() + minutes * MINUTE_MS)
  const singles: string[] = []

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = () => opened.close()
    bench = await createTestBench(database, [diamond, single])
    // Ten tasks of one step: number i takes i minutes, after a minute of waiting. The tenth fails.
    const created = await bench.client.createTasks(
      single,
      Array.from({ length: 10 }, (_, a) => ({ input: { a }, initiator: "alice" })),
    )
    singles.push(...created.map(({ taskId }) => taskId))
    await bench.drain((step) => (step.taskId === singles[9] ? { kind: "error", json: errorJson("no") } : {}))
    for (const [index, taskId] of singles.entries()) await retime(taskId, at(0), at(1), at(2 + index))
    await bench.client.createTask(diamond, { n: 1 }, { runAt: new Date(Date.now() + 60 * MINUTE_MS) })
    await bench.client.cancelTask((await bench.client.createTask(diamond, { n: 2 })).taskId)
  })

  afterAll(() => close())

  /** Moves a finished task of one step to other times. */
  async function retime(taskId: string, created: Date, started: Date, finished: Date): Promise<void> {
    const values = [taskId, created, started, finished]
    await database.query({
      text: "update tasker.tasks set created_at = $2, started_at = $3, finished_at = $4 where task_id = $1",
      values,
    })
    await database.query({
      text: "update tasker.step_records set started_at = $2, finished_at = $3 where task_id = $1",
      values: [taskId, started, finished],
    })
    await database.query({
      text: `
        update tasker.transitions
        set at = case when from_state is null then $2 when to_state = 'in_progress' then $3 else $4 end::timestamptz
        where task_id = $1`,
      values,
    })
  }

  test("counts tasks and steps by state, each once", async () => {
    expect(await bench.client.countTasks()).toEqual({
      total: 12,
      states: { pending: 1, in_progress: 0, complete: 9, error: 1, cancelled: 1, resolved_manually: 0 },
    })
    expect(await bench.client.countTasks({ workflow: "single", since, until })).toMatchObject({ total: 10 })
    expect(await bench.client.countTasks({ until: since })).toMatchObject({ total: 0, states: { complete: 0 } })
    expect(await bench.client.countTasksByWorkflow({ namespace: "shop" })).toMatchObject([
      {
        workflow: { namespace: "shop", name: "diamond", version: "1.0.0" },
        total: 2,
        states: { cancelled: 1, pending: 1 },
      },
      { workflow: { name: "single" }, total: 10, states: { complete: 9, error: 1 } },
    ])
    expect(await bench.client.countSteps({ workflow: "single" })).toMatchObject({
      total: 10,
      states: { complete: 9, error: 1 },
    })
    expect(await bench.client.countSteps()).toMatchObject({ total: 18, states: { pending: 4, cancelled: 4 } })
    expect(await bench.client.countStepsByName({ workflow: "diamond" })).toMatchObject(
      ["end", "left", "right", "start"].map((step) => ({ step, total: 2, states: { pending: 1, cancelled: 1 } })),
    )
  })

  test("finds the slowest tasks, by what was measured", async () => {
    const slowest = await bench.client.slowestTasks({ since, until, limit: 3 })
    expect(slowest).toEqual(
      [9, 8, 7].map((index) => ({
        taskId: singles[index],
        workflow: { namespace: "shop", name: "single", version: "1.0.0" },
        state: index === 9 ? "error" : "complete",
        createdAt: at(0),
        startedAt: at(1),
        finishedAt: at(2 + index),
        waitMs: MINUTE_MS,
        durationMs: (1 + index) * MINUTE_MS,
        stepCount: 1,
        errorCount: index === 9 ? 1 : 0,
        attemptCount: 1,
        initiator: "alice",
        sourceSystem: null,
      })),
    )
    expect(await bench.client.slowestTasks({ since: at(3), until: at(4) })).toMatchObject([{ taskId: singles[1] }])
    expect(await bench.client.slowestTasks({ since, until, workflow: "diamond" })).toEqual([])
  })

  test("finds the slowest steps, by what was measured", async () => {
    expect(await bench.client.slowestSteps({ since, until, limit: 2 })).toEqual(
      [8, 7].map((index) => ({
        taskId: singles[index],
        step: "only",
        workflow: { namespace: "shop", name: "single", version: "1.0.0" },
        attempts: 1,
        startedAt: at(1),
        finishedAt: at(2 + index),
        durationMs: (1 + index) * MINUTE_MS,
      })),
    )
    expect(await bench.client.slowestSteps({ since, until, namespace: "other" })).toEqual([])
  })

  test("computes percentiles of tasks and of steps, and none where nothing was measured", async () => {
    const workflow = { namespace: "shop", name: "single", version: "1.0.0" }
    // Ten tasks of 1 to 10 minutes; nine steps of 1 to 9.
    const found = await bench.client.durationPercentiles({ since, until })
    expect(found).toEqual([
      { workflow, step: null, count: 10, p50Ms: 5.5 * MINUTE_MS, p95Ms: expect.any(Number), p99Ms: expect.any(Number) },
      { workflow, step: "only", count: 9, p50Ms: 5 * MINUTE_MS, p95Ms: expect.any(Number), p99Ms: expect.any(Number) },
    ])
    expect(found[0]?.p95Ms).toBeCloseTo(9.55 * MINUTE_MS, 3)
    expect(found[1]?.p99Ms).toBeCloseTo(8.92 * MINUTE_MS, 3)
    expect(await bench.client.durationPercentiles({ until: since })).toEqual([])
  })

  test("counts what happened in each part of a period, and says how much a second", async () => {
    const rates = await bench.client.taskRates({ since, until: at(13), partMs: 4 * MINUTE_MS })
    expect(rates.map(({ created, completed, failed, cancelled }) => [created, completed, failed, cancelled])).toEqual([
      [10, 2, 0, 0],
      [0, 4, 0, 0],
      [0, 3, 1, 0],
      [0, 0, 0, 0],
    ])
    expect(rates[0]).toMatchObject({ since: at(0), until: at(4), createdPerSecond: 10 / 240, failedPerSecond: 0 })
    expect(rates[3]).toMatchObject({ since: at(12), until: at(13) })
    const [whole] = await bench.client.taskRates({ since, until, workflow: "single" })
    expect(whole).toMatchObject({ created: 10, completed: 9, failed: 1, completedPerSecond: 9 / 3_600 })
  })

  test("does not depend on the time zone of the session", async () => {
    await database.transaction(async (tx) => {
      await tx.query({ text: "select set_config('timezone', 'America/New_York', true)" })
      const [row] = await tx.query<{ completed: number }>({
        text: "select completed from tasker.task_rates($1, $2, '1 hour', null, null, null)",
        values: [since, until],
      })
      expect(row).toEqual({ completed: 9 })
    })
  })

  test("refuses periods and limits that there are not", async () => {
    const { client } = bench
    for (const call of [
      client.slowestTasks({ since: until, until: since }),
      client.slowestSteps({ limit: 0 }),
      client.durationPercentiles({ workflow: "No" }),
      client.taskRates({ since, until, partMs: 0 }),
      client.taskRates({ since, until, partMs: 3_599 }),
      // What a user without a compiler may pass.
      client.countTasks({ sinse: since } as object),
      client.countSteps({ since: 5 } as object),
    ]) {
      await expect(call).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    }
  })

  test.skipIf(kind === "pglite")("reads a period by its index on time", { timeout: 120_000 }, async () => {
    await database.query({
      text: `
        insert into tasker.transitions (at, task_id, to_state)
        select now() - interval '30 days' + number * interval '1 second', gen_random_uuid(), 'pending'
        from generate_series(1, 200000) as number`,
    })
    await bench.client.createTasks(
      diamond,
      Array.from({ length: 5_000 }, () => ({ input: { n: 1 } })),
    )
    await database.script(`
      insert into tasker.step_records (task_id, state, step_no, attempts, max_attempts)
      select task_id, 'resolved_manually', 3, 0, 3 from tasker.tasks where state = 'pending'
      on conflict do nothing`)
    await database.script("vacuum analyze tasker.transitions")
    await database.script("analyze")
    for (const call of [
      "slowest_tasks($1, $2, null, null, null, 10)",
      "slowest_steps($1, $2, null, null, null, 10)",
      "duration_percentiles($1, $2, null, null, null)",
      "task_rates($1, $2, '1 minute', null, null, null)",
      "period_counts($1, $2, null, null, null, true)",
      "task_timings($1, $2, null, null, null, true, '{1}')",
      "step_timings($1, $2, null, null, null, 50000, true)",
      "measured_attempts($1, $2, null, null, null, 50000)",
      "step_errors($1, $2, null, null, null, 10)",
      "retried_steps($1, $2, null, null, null, 10)",
    ]) {
      const plan = await database.query<{ "QUERY PLAN": string }>({
        text: `explain select * from tasker.${call}`,
        values: [since, until],
      })
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n")
      expect(text).toContain("transitions_at_idx")
      // The other tables are so small here that reading them whole may be the better plan.
      expect(text).not.toMatch(/Seq Scan on transitions/)
    }
    // The plan of this one is not shown; what it reads is.
    await database.transaction(async (tx) => {
      const scans = async () =>
        await tx.query({ text: "select seq_scan from pg_stat_xact_user_tables where relname = 'transitions'" })
      // What the session read before may not be reported yet, and counts here.
      const before = await scans()
      await tx.query({ text: "select * from tasker.count_recent_tasks(now() + interval '1 hour')" })
      expect(await scans()).toEqual(before)
    })
  })
})
