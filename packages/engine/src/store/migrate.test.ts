import files from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { connect } from "../database/connect.ts"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { watchCalls } from "../database/watch-calls.ts"
import { createSchemaCheck, migrate } from "./migrate.ts"
import { readSqlFiles } from "./sql-files.ts"

describe.each(testDatabases())("migrate on $kind", ({ kind, open }) => {
  let opened: TestDatabase

  beforeEach(async () => {
    opened = await open()
  })
  afterEach(async () => await opened.close())

  async function applied(): Promise<readonly string[]> {
    const rows = await opened.database.query<{ name: string }>({
      text: "select name from tasker.migrations order by name",
    })
    return rows.map(({ name }) => name)
  }

  it("applies every migration in order, once, however often it is called", async () => {
    const names = (await readSqlFiles()).migrations.map(({ name }) => name)
    await migrate(opened.database)
    await migrate(opened.database)
    expect(await applied()).toEqual(names)
    expect(names).not.toEqual([])
  })

  it("costs a database that is up to date two queries", async () => {
    await migrate(opened.database)
    const { database, onCall } = watchCalls(opened.database)
    let count = 0
    const stop = onCall(() => (count += 1))
    await migrate(database)
    stop()
    expect(count).toBe(2)
  })

  it("compared while its files cannot be read, it is compared anew the next time", async () => {
    await migrate(opened.database)
    const checkSchema = createSchemaCheck()
    const reading = vi.spyOn(files, "readFile").mockRejectedValue(new Error("EMFILE: too many open files"))
    syncBuiltinESMExports()
    try {
      await expect(checkSchema(opened.database)).rejects.toThrow("EMFILE")
    } finally {
      reading.mockRestore()
      syncBuiltinESMExports()
    }
    expect(await checkSchema(opened.database)).toEqual({ missing: [], isNewer: false })
  })

  it("refuses a database that a newer version migrated, and leaves it as it is", async () => {
    await migrate(opened.database)
    await opened.database.script(`
      insert into tasker.migrations (name, hash) values ('999999_from_the_future', 'abc');
      update tasker.routines set hash = 'of the future'`)
    await expect(migrate(opened.database)).rejects.toMatchObject({
      code: "TASKER_DATABASE_NEWER",
      message: 'the database has migration "999999_from_the_future", which this version lacks',
    })
    const [row] = await opened.database.query<{ hashes: readonly string[] }>({
      text: "select array_agg(distinct hash) as hashes from tasker.routines",
    })
    expect(row?.hashes).toEqual(["of the future"])
  })

  it("refuses a migration that was applied from another text", async () => {
    await migrate(opened.database)
    await opened.database.script("update tasker.migrations set hash = 'another' where name like '000001%'")
    await expect(migrate(opened.database)).rejects.toMatchObject({ code: "TASKER_MIGRATION_CHANGED" })
  })

  it("a migration that the database refuses leaves nothing of itself behind", async () => {
    // The first migration finds its type taken.
    await opened.database.script("create schema tasker; create table tasker.queues (name text)")
    await expect(migrate(opened.database)).rejects.toMatchObject({ code: "TASKER_MIGRATION_FAILED" })
    expect(await applied()).toEqual([])
    const types = await opened.database.query({
      text: "select from pg_type where typname = 'state' and typnamespace = 'tasker'::regnamespace",
    })
    expect(types).toEqual([])
  })

  it("brings functions back in the transaction of the migration that dropped them", async () => {
    await migrate(opened.database)
    const transactions = await opened.database.query({
      text: `
        select xmin::text from tasker.migrations
        union
        select xmin::text from pg_proc where pronamespace = 'tasker'::regnamespace
        union
        select xmin::text from tasker.routines`,
    })
    expect(transactions).toHaveLength(1)
  })

  it.skipIf(kind === "pglite")("ten that start at once on an empty database all succeed", async () => {
    const databases = await Promise.all(Array.from({ length: 10 }, () => connect(opened.url)))
    try {
      await Promise.all(databases.map((database) => migrate(database)))
      expect(await applied()).toEqual((await readSqlFiles()).migrations.map(({ name }) => name))
    } finally {
      await Promise.all(databases.map((database) => database.close()))
    }
  })
})
