import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { inspect } from "node:util"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isConnectionError } from "../core/database.ts"
import { connect } from "./connect.ts"
import { testDatabase, testServer } from "./test-database.ts"
import type { TestDatabase } from "./test-database.ts"
import { testLogger } from "./test-logger.ts"

describe("PostgreSQL by pg", () => {
  let opened: TestDatabase

  beforeAll(async () => {
    opened = await testDatabase("postgres 18").open()
  })
  afterAll(async () => await opened.close())

  async function failureOf(url: string, connectTimeoutMs = 20_000): Promise<unknown> {
    return await connect(url, { connectTimeoutMs }).catch((error: unknown) => error)
  }

  it("a server that does not answer is unavailable, and worth another try", async () => {
    const error = await failureOf("postgres://ann:hunter2@127.0.0.1:1/app")
    expect(error).toMatchObject({
      code: "TASKER_DATABASE_UNAVAILABLE",
      message: "PostgreSQL at postgres://ann@127.0.0.1:1/app cannot be reached: connect ECONNREFUSED 127.0.0.1:1",
      details: { url: "postgres://ann@127.0.0.1:1/app" },
    })
    expect(isConnectionError(error)).toBe(true)
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2")
  })

  it("a server that accepts and then says nothing is given up after the timeout", async () => {
    const silent = createServer().listen(0, "127.0.0.1")
    await once(silent, "listening")
    // listen() with a port always gives an address of this form.
    const { port } = silent.address() as AddressInfo
    const error = await failureOf(`postgres://ann:hunter2@127.0.0.1:${port}/app`, 1_000)
    silent.close()
    expect(error).toMatchObject({ code: "TASKER_DATABASE_UNAVAILABLE" })
    expect(isConnectionError(error)).toBe(true)
  })

  it("a wrong password is refused, is no connection error, and is shown to nobody", async () => {
    const error = await failureOf(opened.url.replace(/:[^:@]*@/, ":hunter2@"))
    expect(error).toMatchObject({ code: "TASKER_DATABASE_REFUSED", hint: "check the user and password of the URL" })
    expect(isConnectionError(error)).toBe(false)
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2")
  })

  it("a database that does not exist is refused by its name", async () => {
    const { url } = await testServer(18).then((server) => ({ url: server.url("no_such_database") }))
    expect(await failureOf(url)).toMatchObject({
      code: "TASKER_DATABASE_REFUSED",
      message: expect.stringContaining('database "no_such_database" does not exist'),
    })
  })

  it("the password is not seen when the database itself is printed", () => {
    const password = new URL(opened.url).password
    expect(password.length).toBeGreaterThan(20)
    expect(inspect({ database: opened.database, url: opened.database.displayUrl }, { depth: 10 })).not.toContain(
      password,
    )
  })

  it("a full pool gives its own error after the timeout, and works again when a connection is back", async () => {
    const small = await connect(opened.url, { poolSize: 2, connectTimeoutMs: 2_000 })
    const [first, second] = [await small.reserve(), await small.reserve()]
    const error: unknown = await small.query({ text: "select 1" }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "TASKER_DATABASE_BUSY", details: { poolSize: 2 } })
    expect(isConnectionError(error)).toBe(true)
    first.release()
    expect(await small.query({ text: "select 1 as one" })).toEqual([{ one: 1 }])
    second.release()
    await small.close()
  })

  it("closing does not wait for ever for a connection that is never released", async () => {
    const logger = testLogger()
    const forgetful = await connect(opened.url, { logger, closeGraceMs: 50 })
    await forgetful.reserve()
    await forgetful.close()
    expect(logger.lines).toEqual([expect.stringContaining("cuts connections that are in use")])
  })

  it("a statement that fails says who asked", async () => {
    const failed = await opened.database.query({ text: "select nope" }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: "42703", stack: expect.stringContaining("postgres.test.ts") })
  })

  it("rows that nobody holds any more are gone with the next collection of young objects", async () => {
    const collectYoung = youngCollector()
    const rows = { text: "select repeat('a', 1000) || number as long from generate_series(1, 1000) as number" }
    // What is compiled and cached by the first calls stays.
    for (let count = 0; count < 10; count++) await opened.database.query(rows)
    const before = oldBytes()
    for (let count = 0; count < 40; count++) {
      await opened.database.query(rows)
      collectYoung()
    }
    // A MB each.
    expect(oldBytes() - before).toBeLessThan(10_000_000)
  })

  it("connections that the server ends are replaced, and end nothing else", async () => {
    const victim = await connect(opened.url, { poolSize: 3, applicationName: "victim" })
    const reserved = await victim.reserve()
    const running = victim.query({ text: "select pg_sleep(60)" }).catch((error: unknown) => error)
    await expect
      .poll(
        async () =>
          await opened.database.query({
            text: `
              select 1 from pg_stat_activity
              where datname = current_database() and state = 'active' and query like 'select pg_sleep%'`,
          }),
      )
      .toHaveLength(1)
    await opened.database.query({
      text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'",
    })

    const error = await running
    expect(error).toMatchObject({ code: "TASKER_DATABASE_UNAVAILABLE", cause: { code: "57P01" } })
    expect(isConnectionError(error)).toBe(true)
    const next: unknown = await reserved.query({ text: "select 1" }).catch((thrown: unknown) => thrown)
    expect(isConnectionError(next)).toBe(true)
    reserved.release()
    await expect.poll(async () => await victim.query({ text: "select 1 as one" }).catch(() => [])).toEqual([{ one: 1 }])
    await victim.close()
  })

  it("a lost transaction gives a connection error and the pool goes on", async () => {
    const attempt = opened.database.transaction(async (tx) => {
      await tx.query({ text: "select pg_terminate_backend(pg_backend_pid())" })
    })
    const error: unknown = await attempt.catch((thrown: unknown) => thrown)
    expect(isConnectionError(error)).toBe(true)
    expect(await opened.database.query({ text: "select 1 as one" })).toEqual([{ one: 1 }])
  })

  it("a lost listener listens again and says that it may have missed something", async () => {
    const logger = testLogger()
    const database = await connect(opened.url, { applicationName: "listener", logger })
    const heard: string[] = []
    let resets = 0
    const stop = await database.listen(
      "news",
      (payload) => heard.push(payload),
      () => resets++,
    )
    await opened.database.query({
      text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'",
    })
    await expect.poll(() => resets).toBe(1)
    await opened.database.query({ text: "notify news, 'after'" })
    await expect.poll(() => heard).toEqual(["after"])
    await stop()
    await database.close()
    expect(logger.lines.filter((line) => line.startsWith("warn"))).toHaveLength(1)
  })

  it.each([
    [true, ["one"]],
    [false, []],
  ])(
    "with preparedStatements: %s, the server holds the prepared statements %j",
    async (preparedStatements, expected) => {
      const database = await connect(opened.url, { preparedStatements, poolSize: 1 })
      await database.query({ name: "one", text: "select $1::int", values: [1] })
      const rows = await database.query<{ name: string }>({ text: "select name from pg_prepared_statements" })
      expect(rows.map(({ name }) => name)).toEqual(expected)
      await database.close()
    },
  )

  it("with notifications: false, listening takes no connection and hears nothing", async () => {
    const database = await connect(opened.url, { notifications: false, applicationName: "deaf" })
    const stop = await database.listen(
      "news",
      () => expect.unreachable(),
      () => {},
    )
    await opened.database.query({ text: "notify news" })
    const [row] = await opened.database.query<{ count: number }>({
      text: "select count(*) from pg_stat_activity where application_name = 'deaf'",
    })
    expect(row?.count).toBe(1)
    await stop()
    await database.close()
  })

  it("a session that is read-only from its start is found out by its own code", async () => {
    const url = `${opened.url}?options=${encodeURIComponent("-c default_transaction_read_only=on")}`
    const database = await connect(url)
    await expect(database.script("create table forbidden ()")).rejects.toMatchObject({
      code: "TASKER_DATABASE_READ_ONLY",
    })
    await database.close()
  })
})

/** Gives a function that collects young objects alone; those that survive twice are old. */
function youngCollector(): () => void {
  setFlagsFromString("--expose-gc")
  // The flag is read when a context is made.
  const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void
  return () => collect({ type: "minor" })
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? 0
}
