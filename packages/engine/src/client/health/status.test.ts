import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../../core/database.ts"
import { connect } from "../../database/connect.ts"
import { testDatabase, testDatabases, type TestDatabase } from "../../database/test-database.ts"
import { migrate } from "../../store/migrate.ts"
import { openTransaction } from "../../store/test-store.ts"
import type { ClosableClient } from "../create-client.ts"
import { createTestBench, diamond, errorJson, single, type TestBench } from "../test-bench.ts"
import type { StatusOptions } from "./status.ts"
import type { StatusReason } from "./system-status.ts"

const crossed = ({ reasons }: { readonly reasons: readonly StatusReason[] }) =>
  reasons.map(({ threshold }) => threshold)

describe.each(testDatabases(migrate))("status on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let database: Database
  let bench: TestBench
  let client: ClosableClient
  let waitingId: string

  beforeAll(async () => {
    opened = await open()
    database = opened.database
    bench = await createTestBench(database, [diamond, single])
    client = bench.client
    await populate()
  })
  afterAll(async () => await opened.close())

  /**
   * Of singles: 3 complete, 2 failed for good (one of them at its last attempt), 1 in backoff, 1 due for a retry, 1 running,
   * 1 delayed, 1 held, 2 ready (one for ten minutes), 1 cancelled. Of diamonds: 1 complete.
   */
  async function populate(): Promise<void> {
    const make = async (options = {}) => (await client.createTask(single, { a: 1 }, options)).taskId
    for (let task = 0; task < 3; task++) await bench.run(await make(), "only")
    await bench.run(await make(), "only", { kind: "error", json: errorJson("no") })
    const exhausted = await make()
    for (let attempt = 0; attempt < 3; attempt++) {
      await bench.run(exhausted, "only", { kind: "retry", json: errorJson("no") })
    }
    await bench.run(await make(), "only", { kind: "retry", json: errorJson("no"), delayMs: 600_000 })
    await client.createTask(diamond, { n: 1 })
    await bench.drain((_step, name) =>
      name === "only" ? { kind: "retry", delayMs: 600_000, json: errorJson("") } : {},
    )
    await client.cancelTask(await make())
    const due = await make()
    await bench.run(due, "only", { kind: "retry", json: errorJson("no") })
    await make()
    await bench.claim(2)
    await bench.run(due, "only", { kind: "retry", json: errorJson("no") })
    await make({ runAt: new Date(Date.now() + 600_000) })
    await client.pauseTask(await make())
    await make()
    waitingId = await make()
    await database.query({
      text: "update tasker.step_queue set run_at = now() - interval '10 minutes' where task_id = $1",
      values: [waitingId],
    })
  }

  it("counts what is there now, and what happened of late", async () => {
    const found = await client.health.status()
    expect(found.tasks).toEqual({
      // In backoff, due, running, delayed, held, and the two that are ready.
      open: 7,
      failed: 2,
      recent: {
        total: 14,
        states: { pending: 4, in_progress: 3, complete: 4, error: 2, cancelled: 1, resolved_manually: 0 },
      },
    })
    expect(found.steps).toEqual({ ready: 3, delayed: 1, held: 1, running: 1, failed: 2 })
    expect(found.retries).toEqual({ inBackoff: 1, due: 1, exhausted: 1 })
    const attempts = { completed: 3 + 4, retried: 2 + 1 + 2, failed: 2 }
    expect(found.recent).toEqual({
      recentMs: 300_000,
      tasks: { created: 14, completed: 4, failed: 2, cancelled: 1, resolved: 0, errorRate: 2 / 7 },
      attempts: { started: 15, ...attempts, skipped: 0, cancelled: 0, errorRate: 7 / 14 },
    })
    expect(found).toMatchObject({ at: expect.any(Date), durationMs: expect.any(Number) })
  })

  it("says how deep each queue is, and which step has been ready in it for longest", async () => {
    const { queues } = await client.health.status()
    expect(queues).toMatchObject([
      {
        name: "shop",
        readySteps: 3,
        delayedSteps: 2,
        heldSteps: 1,
        runningSteps: 1,
        liveWorkers: 1,
        oldestReady: { taskId: waitingId, step: "only", readyAt: expect.any(Date) },
      },
    ])
    const ageMs = queues[0]?.oldestReady?.ageMs ?? 0
    expect(ageMs).toBeGreaterThanOrEqual(600_000)
    expect(ageMs).toBeLessThan(600_000 + 60_000)
  })

  it("counts the workers that are live, overdue, lost and stopped", async () => {
    expect((await client.health.status()).workers).toEqual({
      live: 1,
      concurrency: 100,
      overdue: 0,
      lost: 0,
      stopped: 0,
    })
    await database.query({
      text: `
        insert into tasker.workers (name, host, pid, concurrency, lease, routes, started_at, heartbeat_at, stopped_at, lost_at)
        select 'w', 'h', 1, 7, '15 s', '{}', now() - interval '1 day', now() - beat, now() - stop, now() - lost
        from (values
          (interval '1 s', null, null),
          ('1 min', null, null), ('2 min', null, null),
          ('1 min', null, interval '30 s'),
          ('1 min', interval '40 s', null), ('1 min', '50 s', null), ('1 min', '10 s', null),
          ('1 hour', '50 min', null), ('1 hour', null, '55 min')
        ) as w (beat, stop, lost)`,
    })
    const found = await client.health.status()
    expect(found.workers).toEqual({ live: 2, concurrency: 107, overdue: 2, lost: 1, stopped: 3 })
    expect(found.reasons).toContainEqual({
      threshold: "overdueWorkers",
      value: 2,
      limit: 0,
      message: "the lease of 2 workers ran out, and nobody has taken their steps back",
    })
    await database.query({ text: "delete from tasker.workers where host = 'h'" })
  })

  it("recentMs and failuresMs say how far back it looks", async () => {
    await database.query({
      text: "update tasker.transitions set at = at - interval '2 minutes' where task_id = $1",
      values: [waitingId],
    })
    const recent = async (recentMs: number) => (await client.health.status({ recentMs })).recent.tasks.created
    expect([await recent(300_000), await recent(60_000)]).toEqual([14, 13])
    await database.query({
      text: "update tasker.tasks set created_at = created_at - interval '1 hour' where state = 'error'",
    })
    const failed = async (failuresMs: number) => (await client.health.status({ failuresMs })).tasks.failed
    expect([await failed(7_200_000), await failed(1_800_000)]).toEqual([2, 0])
  })

  it("is unhealthy for the reasons that its thresholds give, and states both", async () => {
    const found = await client.health.status()
    expect(found.healthy).toBe(false)
    expect(found.reasons).toEqual([
      {
        threshold: "oldestReadyMs",
        value: found.queues[0]?.oldestReady?.ageMs,
        limit: 300_000,
        message: expect.stringMatching(
          new RegExp(`^step "only" of task ${waitingId} has been ready in queue "shop" for 6\\d{5} ms$`),
        ),
      },
    ])
    const given = { oldestReadyMs: null }
    expect(await client.health.status({ thresholds: given })).toMatchObject({
      healthy: true,
      reasons: [],
      thresholds: { oldestReadyMs: null, unservedQueues: 0, taskErrorRate: 0.5, minCount: 10 },
    })
    const rates = { ...given, taskErrorRate: 0.25, attemptErrorRate: 0.4, minCount: 7 }
    const { reasons } = await client.health.status({ thresholds: rates })
    expect(reasons.map(({ threshold, message }) => [threshold, message])).toEqual([
      ["taskErrorRate", "2 of the 7 tasks that ended of late failed"],
      ["attemptErrorRate", "7 of the 14 attempts that ended of late failed"],
    ])
    expect(crossed(await client.health.status({ thresholds: { ...rates, minCount: 8 } }))).toEqual(["attemptErrorRate"])
    expect(crossed(await client.health.status({ thresholds: { ...rates, minCount: 15 } }))).toEqual([])
  })

  it("is unhealthy when nobody serves a queue in which steps are ready, unless that is paused", async () => {
    await database.query({ text: "update tasker.workers set stopped_at = now()" })
    const thresholds = { oldestReadyMs: 60_000 }
    expect(crossed(await client.health.status({ thresholds }))).toEqual(["unservedQueues", "oldestReadyMs"])
    await client.pauseQueue("shop")
    expect(crossed(await client.health.status({ thresholds }))).toEqual([])
    await client.resumeQueue("shop")
    await database.query({ text: "update tasker.workers set stopped_at = null" })
  })

  it("knows the size of the database and of the table that every step goes through", async () => {
    const found = await client.health.status()
    const [size] = await database.query<{ database: number; queue: number }>({
      text: "select pg_database_size(current_database()) as database, pg_total_relation_size('tasker.step_queue') as queue",
    })
    expect(found.database.queueTable.bytes).toBe(size?.queue)
    expect(Math.abs(found.database.bytes - (size?.database ?? 0))).toBeLessThan(2_000_000)
    if (kind === "pglite") {
      // It has one session and no autovacuum; what it cannot know is not zero.
      expect(found).toMatchObject({
        pool: null,
        database: { connections: null, oldestTransaction: null, horizon: null },
      })
    }
  })

  it("refuses what it does not take", async () => {
    for (const options of [
      { recentMs: 0 },
      { failuresMs: 5 },
      { timeoutMs: 0 },
      { thresholds: { oldestReadyMs: -1 } },
      { thresholds: { taskErrorRate: 2 } },
      { thresholds: { minCount: 0 } },
      { thresholds: { oldest: 1 } },
      { recent: 5 },
    ]) {
      // What a user without a compiler may pass.
      await expect(client.health.status(options as StatusOptions)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
      })
    }
  })
})

describe.each([testDatabase("postgres 18", migrate), testDatabase("postgres 14", migrate)])(
  "what status says of a server, on $kind",
  ({ open }) => {
    let opened: TestDatabase
    let database: Database
    let other: Database
    let client: ClosableClient

    beforeAll(async () => {
      opened = await open({ poolSize: 4 })
      database = opened.database
      other = await connect(opened.url, { applicationName: "other" })
      client = (await createTestBench(database, [single])).client
    })
    afterAll(async () => {
      await other.close()
      await opened.close()
    })

    it("names the oldest open transaction, and how far back it holds the horizon", async () => {
      const before = Date.now()
      const transaction = await openTransaction(other, async (tx) => {
        await tx.query({ text: "set transaction isolation level repeatable read" })
        const [row] = await tx.query<{ pid: number }>({ text: "select pg_backend_pid() as pid" })
        return row?.pid
      })
      const after = Date.now()
      for (let number = 0; number < 5; number++) await database.query({ text: "select txid_current()" })

      const found = await client.health.status({ thresholds: { oldestTransactionMs: 0, horizonXids: 4 } })
      const { oldestTransaction, horizon } = found.database
      expect(oldestTransaction).toMatchObject({
        pid: transaction.result,
        application: "other",
        state: "idle in transaction",
      })
      const beganAt = oldestTransaction?.beganAt.getTime() ?? 0
      expect(beganAt).toBeGreaterThanOrEqual(before - 1)
      expect(beganAt).toBeLessThanOrEqual(after)
      expect(oldestTransaction?.ageMs).toBeGreaterThanOrEqual(0)
      // Others use the server too, so there may be more.
      expect(horizon).toMatchObject({ heldBy: "session" })
      expect(horizon?.ageXids).toBeGreaterThanOrEqual(5)
      expect(crossed(found)).toEqual(["oldestTransactionMs", "horizonXids"])

      await transaction.commit()
      expect((await client.health.status()).database.oldestTransaction?.pid).not.toBe(transaction.result)
    })

    it("counts connections against what the server allows", async () => {
      const [allowed] = await database.query<{ max: number; reserved: number }>({
        text: `
          select current_setting('max_connections')::integer as max,
            current_setting('superuser_reserved_connections')::integer as reserved`,
      })
      const found = await client.health.status({ thresholds: { connectionShare: 0 } })
      expect(found.database.connections?.max).toBe((allowed?.max ?? 0) - (allowed?.reserved ?? 0))
      // At least this one, and the one that `other` keeps.
      expect(found.database.connections?.used).toBeGreaterThanOrEqual(2)
      expect(crossed(found)).toEqual(["connectionShare"])
    })

    it("counts dead rows of the queue, and knows when it was vacuumed", async () => {
      expect((await client.health.status()).database.queueTable).toMatchObject({ vacuumedAt: null })
      await client.createTasks(
        single,
        Array.from({ length: 200 }, (_, a) => ({ input: { a } })),
      )
      await database.query({
        text: "delete from tasker.step_queue where ctid in (select ctid from tasker.step_queue limit 50)",
      })
      // The server takes note of it a moment later.
      await expect
        .poll(async () => (await client.health.status()).database.queueTable, { timeout: 20_000 })
        .toMatchObject({ liveRows: 150, deadRows: 50 })
      expect(crossed(await client.health.status({ thresholds: { queueDeadRows: 49, unservedQueues: null } }))).toEqual([
        "queueDeadRows",
      ])
      const [now] = await database.query<{ now: Date }>({ text: "select clock_timestamp() as now" })
      await database.script("vacuum tasker.step_queue")
      await expect
        .poll(async () => (await client.health.status()).database.queueTable, { timeout: 20_000 })
        .toMatchObject({ deadRows: 0, vacuumedAt: expect.any(Date) })
      const { vacuumedAt } = (await client.health.status()).database.queueTable
      expect(vacuumedAt?.getTime()).toBeGreaterThanOrEqual(now!.now.getTime() - 1)
    })

    it("says how the pool of this process is used", async () => {
      const held = [await database.reserve(), await database.reserve(), await database.reserve()]
      const { pool } = await client.health.status()
      expect(pool).toMatchObject({ size: 4, inUse: 3, waiting: 0 })
      held.push(await database.reserve())
      const fifth = database.reserve()
      const asked = client.health.status({ thresholds: { poolWaiting: 0, unservedQueues: null } })
      for (const connection of held) connection.release()
      const found = await asked
      expect(found.pool).toEqual({ size: 4, open: 4, inUse: 4, waiting: 1 })
      expect(crossed(found)).toEqual(["poolWaiting"])
      ;(await fifth).release()
    })

    it("gives up after its time limit when something blocks it", async () => {
      const lock = await openTransaction(other, async (tx) => {
        await tx.query({ text: "lock table tasker.step_queue in access exclusive mode" })
      })
      await expect(client.health.status({ timeoutMs: 100 })).rejects.toMatchObject({
        code: "TASKER_DATABASE_UNAVAILABLE",
      })
      await lock.rollback()
      await client.health.status()
    })
  },
)
