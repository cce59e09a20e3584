import pg from "pg"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../core/database.ts"
import { connect } from "./connect.ts"
import { testDatabase, type TestDatabase, testServer } from "./test-database.ts"

const UNAVAILABLE = { code: "TASKER_DATABASE_UNAVAILABLE" }

describe("asking a PostgreSQL how it is", () => {
  let opened: TestDatabase
  let small: Database

  beforeAll(async () => {
    opened = await testDatabase("postgres 18").open()
    small = await connect(opened.url, { poolSize: 2, applicationName: "small" })
  })
  afterAll(async () => {
    await small.close()
    await opened.close()
  })

  it("a statement that takes too long is given up with its connection, so the pool is never used up", async () => {
    for (let attempt = 1; attempt <= 5; attempt++) {
      await expect(small.queryWithin({ text: "select pg_sleep(60)" }, 20)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: `${small.displayUrl} did not answer within 20 ms`,
      })
      // A connection that was only being made is left alone, and is free once it is there.
      await expect.poll(() => small.poolUse()).toMatchObject({ size: 2, inUse: 0, waiting: 0 })
    }
    expect(await small.queryWithin({ text: "select 1 as one" }, 5_000)).toEqual([{ one: 1 }])
    expect(small.poolUse()).toMatchObject({ inUse: 0 })
  })

  it("a connection that was given back in time is left to whoever has it next", async () => {
    const bounded = Array.from({ length: 100 }, async () => await small.queryWithin({ text: "select 1 as n" }, 20_000))
    const unbounded = Array.from({ length: 100 }, async () => await small.query({ text: "select 1 as n" }))
    for (const answer of [...bounded, ...unbounded]) expect(await answer).toEqual([{ n: 1 }])
  })

  it("the wait for a connection counts, and who waited too long takes none later", async () => {
    const held = [await small.reserve(), await small.reserve()]
    expect(small.poolUse()).toEqual({ size: 2, open: 2, inUse: 2, waiting: 0 })
    const marked = small.queryWithin({ text: "create table public.marked ()" }, 20)
    expect(small.poolUse()).toMatchObject({ waiting: 1 })
    await expect(marked).rejects.toMatchObject(UNAVAILABLE)
    for (const connection of held) connection.release()
    // In line behind the one that gave up.
    expect(await small.query({ text: "select to_regclass('public.marked') as it" })).toEqual([{ it: null }])
    expect(small.poolUse()).toMatchObject({ inUse: 0, waiting: 0 })
  })

  it("what the statement itself does wrong is said as ever", async () => {
    await expect(small.queryWithin({ text: "select 1/0" }, 5_000)).rejects.toMatchObject({ code: "22012" })
  })

  it("the listener hears itself, not while its connection is lost, and again when it is back", async () => {
    const heard: string[] = []
    await small.listen(
      "a",
      (payload) => heard.push(payload),
      () => heard.push("reset"),
    )
    await small.probeListener(5_000)
    await small.probeListener(5_000)

    const server = await testServer(18)
    const admin = new pg.Client({ connectionString: server.url("postgres") })
    await admin.connect()
    const name = new URL(opened.url).pathname.slice(1)
    await admin.query(`alter database ${name} with allow_connections false`)
    await opened.database.query({
      text: `
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'small' and query ilike '%listen %'`,
    })
    // The server has ended it; until the socket says so, nothing arrives.
    await expect
      .poll(async () => await small.probeListener(50).catch((error: unknown) => String(error)))
      .toContain("the connection that listens for notifications was lost")
    await admin.query(`alter database ${name} with allow_connections true`)
    await admin.end()
    await expect.poll(() => heard).toEqual(["reset"])
    await small.probeListener(5_000)
  })

  it("a closed database is asked nothing", async () => {
    const closed = await connect(opened.url)
    await closed.close()
    await expect(closed.queryWithin({ text: "select 1" }, 1_000)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await expect(closed.probeListener(1_000)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
  })
})

describe("asking a PGlite how it is", () => {
  it("a transaction that holds its only session is waited for no longer than was said", async () => {
    const opened = await testDatabase("pglite").open()
    const { database } = opened
    let end: () => void = () => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    const transaction = database.transaction(async () => await ended)
    await expect(database.queryWithin({ text: "select 1" }, 20)).rejects.toMatchObject(UNAVAILABLE)
    await expect(database.probeListener(20)).rejects.toMatchObject(UNAVAILABLE)
    end()
    await transaction
    expect(await database.queryWithin({ text: "select 1 as one" }, 5_000)).toEqual([{ one: 1 }])
    await database.probeListener(5_000)
    expect(database.poolUse()).toBeUndefined()
    await opened.close()
    await expect(database.probeListener(1_000)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
  })
})
