import { afterEach, describe, expect, test } from "vitest"
import { migrate } from "../store/migrate.ts"
import { type TestDatabase, testDatabases } from "./test-database.ts"
import { type DatabaseCall, watchCalls } from "./watch-calls.ts"

describe.each(testDatabases(migrate))("watchCalls on $kind", ({ open }) => {
  let opened: TestDatabase

  afterEach(async () => await opened.close())

  async function watch() {
    opened = await open()
    const watched = watchCalls(opened.database)
    const calls: DatabaseCall[] = []
    const stop = watched.onCall((call) => calls.push(call))
    return { ...watched, calls, stop }
  }

  test("tells of each call on the pool, on a connection and in a transaction, once", async () => {
    const { database, calls } = await watch()
    const text = "select * from tasker.list_queues()"
    expect(await database.query({ text })).toEqual([])
    const connection = await database.reserve()
    await connection.query({ name: "tasker.verify", text: "select * from tasker.verify() -- tasker.other()" })
    connection.release()
    const found = await database.transaction(async (tx) => await tx.query({ text: "select $1::int as n", values: [7] }))
    expect(found).toEqual([{ n: 7 }])
    expect(await database.queryWithin({ text: "select 1 as n" }, 10_000)).toEqual([{ n: 1 }])
    expect(calls).toEqual([
      { operation: "list_queues", durationMs: expect.any(Number), failed: false },
      { operation: "verify", durationMs: expect.any(Number), failed: false },
      { operation: "other", durationMs: expect.any(Number), failed: false },
      { operation: "other", durationMs: expect.any(Number), failed: false },
    ])
    expect(calls.every(({ durationMs }) => durationMs > 0)).toBe(true)
  })

  test("tells of a call that failed, and lets the error pass", async () => {
    const { database, calls } = await watch()
    await expect(database.query({ text: "select tasker.no_such_function()" })).rejects.toThrow("no_such_function")
    expect(calls).toMatchObject([{ operation: "no_such_function", failed: true }])
  })

  test("tells nobody after the end, and is not hurt by a listener that throws", async () => {
    const { database, calls, onCall, stop } = await watch()
    onCall(() => {
      throw new Error("the listener is broken")
    })
    expect(await database.query({ text: "select 1 as n" })).toEqual([{ n: 1 }])
    stop()
    stop()
    await database.query({ text: "select 1 as n" })
    expect(calls).toHaveLength(1)
  })
})
