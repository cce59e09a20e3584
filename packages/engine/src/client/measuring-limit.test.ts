import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Database } from "../core/database.ts"
import { type TestDatabase, testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { openTransaction } from "../store/test-store.ts"
import { createTestBench, type TestBench } from "./test-bench.ts"

const CALLS = [
  "performance",
  "bottlenecks",
  "slowestTasks",
  "slowestSteps",
  "durationPercentiles",
  "taskRates",
] as const

describe.each(testDatabases(migrate))("timeoutMs of what measures periods, on $kind", ({ open }) => {
  let opened: TestDatabase
  let bench: TestBench
  /** How long each statement was given. */
  const limits: number[] = []

  beforeAll(async () => {
    opened = await open()
    const { database } = opened
    const queryWithin: Database["queryWithin"] = async (statement, timeoutMs) => {
      limits.push(timeoutMs)
      return await database.queryWithin(statement, timeoutMs)
    }
    const watched = new Proxy(database, {
      get(target, key) {
        if (key === "queryWithin") return queryWithin
        const own: unknown = Reflect.get(target, key, target)
        const bound: unknown = typeof own === "function" ? own.bind(target) : own
        return bound
      },
    })
    bench = await createTestBench(watched, [])
  })
  afterAll(async () => await opened.close())

  test.each(CALLS)("%s gives up when something blocks it for that long, and only then", async (call) => {
    const lock = await openTransaction(opened.database, async (tx) => {
      await tx.query({
        text: "lock table tasker.transitions, tasker.tasks, tasker.step_records in access exclusive mode",
      })
    })
    await expect(bench.client[call]({ timeoutMs: 50 })).rejects.toMatchObject({
      code: "TASKER_DATABASE_UNAVAILABLE",
      message: expect.stringMatching(/within (?:\d|[1-4]\d|50) ms$/),
    })
    const patient = bench.client[call]({ timeoutMs: 3_600_000 })
    await lock.commit()
    await patient
  })

  test.each(CALLS)("%s: all statements of a call have it together; a minute by default", async (call) => {
    limits.length = 0
    await bench.client[call]()
    expect(limits.length).toBeGreaterThanOrEqual(call === "performance" ? 9 : call === "bottlenecks" ? 7 : 1)
    expect(limits[0]).toBeLessThanOrEqual(60_000)
    expect(limits[0]).toBeGreaterThan(50_000)
    expect(limits).toEqual(limits.toSorted((a, b) => b - a))
    expect(new Set(limits).size).toBe(limits.length)
  })

  test.each(CALLS)("%s: refuses what is no such time", async (call) => {
    for (const timeoutMs of [0, 1.5, 3_600_001, Number.NaN]) {
      await expect(bench.client[call]({ timeoutMs })).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    }
  })
})
