import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import type { Database, Queryable } from "../core/database.ts"
import { connect } from "./connect.ts"
import { testDatabases } from "./test-database.ts"
import type { TestDatabase } from "./test-database.ts"

/** What every database must do, whatever is behind it. */
describe.each(testDatabases())("a database on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let database: Database

  beforeAll(async () => {
    opened = await open()
    database = opened.database
    await database.script("create table notes (note text primary key); create table numbers (number int)")
  })
  afterAll(async () => await opened.close())

  async function notes(): Promise<string[]> {
    const rows = await database.query<{ note: string }>({ text: "select note from notes order by note" })
    return rows.map(({ note }) => note)
  }

  async function write(note: string): Promise<void> {
    await database.query({ name: "write_note", text: "insert into notes values ($1)", values: [note] })
  }

  it("says what it is, without a password", () => {
    expect(database.kind).toBe(kind === "pglite" ? "pglite" : "postgres")
    expect(database.displayUrl).not.toContain(":tasker@")
    expect(database.joinUrl).toBe(kind === "pglite" ? undefined : opened.url)
  })

  it("a transaction commits what it wrote and gives what its work returned", async () => {
    const result = await database.transaction(async (tx) => {
      await tx.query({ text: "insert into notes values ('committed')" })
      return "done"
    })
    expect(result).toBe("done")
    expect(await notes()).toContain("committed")
  })

  it("a transaction whose work throws leaves nothing and throws the same", async () => {
    const failure = new Error("changed my mind")
    const attempt = database.transaction(async (tx) => {
      await tx.query({ text: "insert into notes values ('rolled back')" })
      throw failure
    })
    await expect(attempt).rejects.toBe(failure)
    expect(await notes()).not.toContain("rolled back")
  })

  it("a connection error of the work's own is thrown as it is, rolls back, and costs no connection", async () => {
    const session = async (asked: Queryable) => {
      const [row] = await asked.query<{ pid: number }>({ text: "select pg_backend_pid() as pid" })
      return row?.pid
    }
    for (const code of ["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT"]) {
      const failure = new Error("fetch failed", { cause: Object.assign(new Error("no answer"), { code }) })
      const connection = await database.reserve()
      const pid = await session(connection)
      const attempt = connection.transaction(async (tx) => {
        await tx.query({ text: "insert into notes values ('fetched')" })
        throw failure
      })
      await expect(attempt).rejects.toBe(failure)
      expect(await connection.query({ text: "select note from notes where note = 'fetched'" })).toEqual([])
      connection.release()
      // The pool hands out the one that came back last.
      expect(await session(database)).toBe(pid)
    }
  })

  it("a transaction that swallows the error of a statement does not pass for committed", async () => {
    const attempt = database.transaction(async (tx) => {
      await tx.query({ text: "insert into notes values ('lost')" })
      await tx.query({ text: "select 1 / 0" }).catch(() => {})
    })
    await expect(attempt).rejects.toMatchObject({ code: "TASKER_TRANSACTION_ENDED" })
    expect(await notes()).not.toContain("lost")
  })

  it("a transaction cannot be used after its end", async () => {
    const tx = await database.transaction(async (inner) => inner)
    await expect(tx.query({ text: "select 1" })).rejects.toMatchObject({ code: "TASKER_TRANSACTION_ENDED" })
  })

  it("statements outside do not take part in a transaction", async () => {
    let outside: Promise<void> | undefined
    const attempt = database.transaction(async (tx) => {
      await tx.query({ text: "insert into numbers values (1)" })
      outside = write("outside")
      await tx.query({ text: "select 1" })
      throw new Error("rolled back")
    })
    await expect(attempt).rejects.toThrow("rolled back")
    await outside
    expect(await notes()).toContain("outside")
    expect(await database.query({ text: "select * from numbers" })).toEqual([])
  })

  it("a hundred transactions at once all commit", async () => {
    await Promise.all(
      Array.from({ length: 100 }, async (_, number) => {
        await database.transaction(
          async (tx) => await tx.query({ text: "insert into numbers values ($1)", values: [number] }),
        )
      }),
    )
    const rows = await database.query<{ sum: number }>({ text: "select sum(number) from numbers" })
    expect(rows).toEqual([{ sum: 4950 }])
    await database.query({ text: "delete from numbers" })
  })

  it("a reserved connection works until it is released, which may be done twice", async () => {
    const connection = await database.reserve()
    expect(await connection.query({ name: "one", text: "select $1::int as one", values: [1] })).toEqual([{ one: 1 }])
    expect(await connection.query({ name: "one", text: "select $1::int as one", values: [2] })).toEqual([{ one: 2 }])
    connection.release()
    connection.release()
    await expect(connection.query({ text: "select 1" })).rejects.toMatchObject({ code: "TASKER_CLOSED" })
  })

  it("a named statement survives a change of the table that it reads", async () => {
    const statement = { name: "all_of_wide", text: "select * from wide" }
    await database.script("create table wide (a int); insert into wide values (1)")
    expect(await database.query(statement)).toEqual([{ a: 1 }])
    await database.script("alter table wide add column b int default 2")
    expect(await database.query(statement)).toEqual([{ a: 1, b: 2 }])
    expect(await database.query(statement)).toEqual([{ a: 1, b: 2 }])
  })

  it("a script that fails in the middle of its own transaction leaves none open", async () => {
    await expect(
      database.script("begin; insert into notes values ('half'); select 1 / 0; commit"),
    ).rejects.toMatchObject({
      code: "22012",
    })
    await write("after the script")
    expect(await notes()).not.toContain("half")
  })

  it("notifications reach every subscriber of their channel, until it stops", async () => {
    const heard: string[] = []
    const onReset = vi.fn()
    const stopFirst = await database.listen('Some "Channel"', (payload) => heard.push(`first ${payload}`), onReset)
    const stopSecond = await database.listen('Some "Channel"', (payload) => heard.push(`second ${payload}`), onReset)
    const stopOther = await database.listen("other", (payload) => heard.push(`other ${payload}`), onReset)
    const notify = async (channel: string, payload: string): Promise<void> => {
      await database.query({ text: "select pg_notify($1, $2)", values: [channel, payload] })
    }

    await notify('Some "Channel"', "one")
    await expect.poll(() => heard).toEqual(["first one", "second one"])
    await stopFirst()
    await stopFirst()
    await notify('Some "Channel"', "two")
    await notify("other", "")
    await expect.poll(() => heard).toEqual(["first one", "second one", "second two", "other "])
    await stopSecond()
    await stopOther()
    expect(onReset).not.toHaveBeenCalled()
  })

  it("a notification of a transaction arrives only if it commits", async () => {
    const heard: string[] = []
    const stop = await database.listen(
      "in_transaction",
      (payload) => heard.push(payload),
      () => {},
    )
    const attempt = database.transaction(async (tx) => {
      await tx.query({ text: "notify in_transaction, 'rolled back'" })
      throw new Error("no")
    })
    await expect(attempt).rejects.toThrow("no")
    await database.transaction(async (tx) => await tx.query({ text: "notify in_transaction, 'committed'" }))
    await expect.poll(() => heard).toEqual(["committed"])
    await stop()
  })

  it("a database that is read-only says so by its own code", async () => {
    const readOnly = database.transaction(async (tx) => {
      await tx.query({ text: "set transaction read only" })
      await tx.query({ text: "insert into notes values ('forbidden')" })
    })
    await expect(readOnly).rejects.toMatchObject({ code: "TASKER_DATABASE_READ_ONLY", hint: expect.any(String) })
  })

  it("closes twice, and answers nothing afterwards", async () => {
    const other = await open()
    await other.database.close()
    await other.database.close()
    await expect(other.database.query({ text: "select 1" })).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await expect(other.database.reserve()).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await expect(other.database.transaction(async () => {})).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await expect(
      other.database.listen(
        "x",
        () => {},
        () => {},
      ),
    ).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await other.close()
  })
})

describe(connect, () => {
  it.each([
    ["", "an empty string"],
    ["   ", "string"],
    ["nonsense", "no scheme"],
    ["mysql://u:hunter2@h/d", 'the scheme "mysql:"'],
    ["postgres://u:hunter2@h:port/d", "cannot be read"],
    ["postgres://u:hun%ter2@[/d", "cannot be read"],
    ["embedded://host/dir", "expected a directory"],
    ["embedded:a\0b", "NUL"],
  ])("refuses the URL %j and does not repeat its password", async (url, message) => {
    const error: unknown = await connect(url).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: "TASKER_DATABASE_URL_INVALID",
      message: expect.stringContaining(message),
      hint: expect.any(String),
    })
    expect(JSON.stringify(error) + String(error)).not.toContain("hunter2")
  })
})
