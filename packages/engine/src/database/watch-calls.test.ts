import { afterEach, describe, expect, test } from "vitest"
import { migrate } from "../store/migrate.ts"
import { type TestDatabase, testDatabases } from "./test-database.ts"
import { type DatabaseCall, watchCalls } from "./watch-calls.ts"

describe.each(testDatabases(migrate))("watchCalls on $kind", ({ kind, open }) => {
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
      { operation: "begin", durationMs: expect.any(Number), failed: false },
      { operation: "other", durationMs: expect.any(Number), failed: false },
      { operation: "commit", durationMs: expect.any(Number), failed: false },
      { operation: "other", durationMs: expect.any(Number), failed: false },
    ])
    expect(calls.every(({ durationMs }) => durationMs > 0)).toBe(true)
  })

  const told = (calls: readonly DatabaseCall[]) =>
    calls.map(({ operation, failed }) => `${operation} ${failed ? "failed" : "ok"}`)

  test("tells how long a commit took, its work apart", async () => {
    const { database, calls } = await watch()
    await database.script(`
      create function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(1); return null; end';
      create table public.flushed ();
      create constraint trigger slow after insert on public.flushed deferrable initially deferred
        for each row execute function public.slow()`)
    const connection = await database.reserve()
    await connection.transaction(async (tx) => await tx.query({ text: "insert into public.flushed default values" }))
    connection.release()
    expect(told(calls)).toEqual(["begin ok", "other ok", "commit ok"])
    expect(calls[2]?.durationMs).toBeGreaterThan(900)
    expect((calls[0]?.durationMs ?? 0) + (calls[1]?.durationMs ?? 0)).toBeLessThan(900)
  })

  test("a commit that does not commit has failed, and a rollback is told as one", async () => {
    const { database, calls } = await watch()
    await database.script(`
      create table public.parents (id integer primary key);
      create table public.children (id integer references public.parents deferrable initially deferred)`)
    const orphan = database.transaction(
      async (tx) => await tx.query({ text: "insert into public.children values (7)" }),
    )
    await expect(orphan).rejects.toMatchObject({ code: "23503" })
    const swallowed = database.transaction(async (tx) => await tx.query({ text: "select 1/0" }).catch(() => []))
    await expect(swallowed).rejects.toMatchObject({ code: "TASKER_TRANSACTION_ENDED" })
    const refused = database.transaction(async (tx) => {
      await tx.query({ text: "select 1" })
      throw new Error("the work is refused")
    })
    await expect(refused).rejects.toThrow("the work is refused")
    const unreachable = Object.assign(new Error("a server of others is down"), { code: "ECONNREFUSED" })
    const foreign = database.transaction(async () => {
      throw unreachable
    })
    await expect(foreign).rejects.toBe(unreachable)
    expect(told(calls)).toEqual([
      "begin ok",
      "other ok",
      "commit failed",
      "begin ok",
      "other failed",
      "commit failed",
      "begin ok",
      "other ok",
      "rollback ok",
      "begin ok",
      "rollback ok",
    ])
    await database.close()
    await expect(database.transaction(async () => {})).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    expect(told(calls).at(-1)).toBe("begin failed")
  })

  test.skipIf(kind === "pglite")("a commit whose answer never came has failed, and so has a rollback", async () => {
    const { database, calls } = await watch()
    for (const outcome of ["commit", "rollback"]) {
      const cut = database.transaction(async (tx) => {
        const [row] = await tx.query<{ pid: number }>({ text: "select pg_backend_pid() as pid" })
        await database.query({ text: "select pg_terminate_backend($1, 5000)", values: [row?.pid] })
        if (outcome === "rollback") await tx.query({ text: "select 1" })
      })
      await expect(cut).rejects.toMatchObject({ code: "TASKER_DATABASE_UNAVAILABLE" })
    }
    expect(told(calls).filter((call) => !call.startsWith("other"))).toEqual([
      "begin ok",
      "commit failed",
      "begin ok",
      "rollback failed",
    ])
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
