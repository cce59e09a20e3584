import { chmod, mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../core/database.ts"
import { connect } from "./connect.ts"
import { findServer, startServer } from "./embedded-server.ts"
import { isPidAlive } from "./lock-file.ts"
import { testLogger } from "./test-logger.ts"
import { startTestProcess } from "./test-process.ts"
import type { TestProcess } from "./test-process.ts"

const isRoot = process.getuid?.() === 0

/** What a process does that opens the directory, writes a row, and says so. */
function opener(dir: string, row: number, then: string): string {
  return `
    const database = await connect(${JSON.stringify(`embedded:${dir}`)})
    await database.script("create table if not exists rows (n int)")
    await database.query({ text: "insert into rows values ($1)", values: [${row}] })
    console.log("open " + database.joinUrl)
    ${then}`
}

const STAY = "setInterval(() => {}, 1000)"

describe("an embedded server", () => {
  let parent: string
  // The first four tests follow each other on one directory, as processes do in life: initdb takes a second each time.
  let dir: string
  const processes: TestProcess[] = []

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), "tasker-embedded-"))
    await chmod(parent, 0o755)
    dir = join(parent, "nested", "dir")
  })

  afterEach(() => {
    for (const started of processes.splice(0)) started.kill("SIGKILL")
  })

  afterAll(async () => {
    const server = await findServer(dir)
    await server?.stop("immediate")
    await rm(parent, { recursive: true })
  })

  function start(code: string, options: { readonly uid?: number } = {}): TestProcess {
    const started = startTestProcess(code, options)
    processes.push(started)
    return started
  }

  async function dataDirOf(used: string): Promise<string> {
    return (JSON.parse(await readFile(join(used, "server.json"), "utf8")) as { dataDir: string }).dataDir
  }

  async function rowsOf(database: Database): Promise<number[]> {
    const rows = await database.query<{ n: number }>({ text: "select n from rows order by n" })
    return rows.map(({ n }) => n)
  }

  it("is one server for two processes that start at once, and ends with the last of them", async () => {
    const first = start(opener(dir, 1, STAY))
    const second = start(opener(dir, 2, STAY))
    const urls = await Promise.all([first.line("open "), second.line("open ")])
    expect(urls[0]).toBe(urls[1])

    const third = await connect(`embedded:${dir}`)
    expect(await rowsOf(third)).toEqual([1, 2])
    expect(third.kind).toBe("embedded")
    expect(third.joinUrl).toBe(urls[0])
    // What users create without naming a schema stays out of Tasker's, which is called as the user is.
    expect(await third.query({ text: "show search_path" })).toEqual([{ search_path: "public" }])
    expect(third.displayUrl).not.toContain(new URL(urls[0]).password)
    const pid = (await findServer(dir))?.pid ?? 0

    second.kill("SIGKILL")
    await second.ended
    await third.close()
    await third.close()
    expect(isPidAlive(pid)).toBe(true)
    const last = await connect(`embedded:${dir}`)
    first.kill("SIGKILL")
    await first.ended
    await last.close()
    expect(isPidAlive(pid)).toBe(false)
  })

  it("outlives a process that is killed, is found again by the next, and has lost nothing", async () => {
    const killed = start(opener(dir, 3, STAY))
    await killed.line("open ")
    const pid = (await findServer(dir))?.pid
    killed.kill("SIGKILL")
    await killed.ended

    const database = await connect(`embedded:${dir}`)
    expect((await findServer(dir))?.pid).toBe(pid)
    expect(await rowsOf(database)).toEqual([1, 2, 3])

    // A crash of the server itself, under a live connection: it is started again by the next statement.
    await (await startServer({ dir })).stop("kill")
    await expect.poll(async () => await rowsOf(database).catch(() => []), { timeout: 10_000 }).toEqual([1, 2, 3])
    expect((await findServer(dir))?.pid).not.toBe(pid)
    await database.close()
    expect(await findServer(dir)).toBeUndefined()
  })

  it("is started again after a crash that left its pid file, on the same port", async () => {
    const server = await startServer({ dir })
    expect(server.isNew).toBe(true)
    expect((await startServer({ dir })).isNew).toBe(false)
    await server.stop("kill")
    const again = await server.restart()
    expect(again).toMatchObject({ isNew: true, port: server.port })
    await again.stop("immediate")
    expect((await again.restart()).port).toBe(server.port)
    const { mode } = await stat(join(dir, "server.json"))
    expect(mode & 0o777).toBe(0o600)
    expect(await readFile(join(dir, "postgres.log"), "utf8")).not.toContain(new URL(server.url()).password)
  })

  it("ends when its only process exits without closing", async () => {
    const careless = start(opener(dir, 4, "process.exit(0)"))
    await careless.line("open ")
    expect(await careless.ended).toBe(0)
    await expect.poll(async () => await findServer(dir), { timeout: 10_000 }).toBeUndefined()
  })

  it("stays for a psql that has joined, although the last process has closed", async () => {
    const database = await connect(`embedded:${dir}`)
    const psql = await connect(database.joinUrl ?? "")
    const stop = await psql.listen(
      "something",
      () => {},
      () => {},
    )
    await database.close()
    expect(await psql.query({ text: "select 1 as one" })).toEqual([{ one: 1 }])
    await stop()
    await psql.close()
  })

  it.runIf(isRoot)(
    "keeps its data elsewhere when root's directory is closed to the user that it runs as",
    async () => {
      const closed = join(parent, "closed")
      await mkdir(closed, { mode: 0o700 })
      const url = `embedded:${join(closed, "dir")}`
      const logger = testLogger()
      const database = await connect(url, { logger })
      const dataDir = await dataDirOf(join(closed, "dir"))
      expect(dataDir).toMatch(/^\/var\/lib\/tasker\/dir-/)
      expect(logger.lines).toEqual([expect.stringContaining(dataDir)])
      await database.script("create table rows (n int); insert into rows values (7)")
      await database.close()
      const again = await connect(url)
      expect(await rowsOf(again)).toEqual([7])
      await again.close()
      await rm(dirname(dataDir), { recursive: true })
    },
    30_000,
  )

  it.runIf(isRoot)(
    "runs for an ordinary user",
    async () => {
      const open = join(parent, "open")
      await mkdir(open)
      await chmod(open, 0o777)
      const ordinary = start(opener(join(open, "dir"), 1, "await database.close()"), { uid: 65534 })
      await ordinary.line("open ")
      expect(await ordinary.ended).toBe(0)
      expect((await stat(join(open, "dir", "data"))).uid).toBe(65534)
    },
    30_000,
  )

  it("says why when its directory cannot be used", async () => {
    await expect(connect("embedded:/etc/passwd/nowhere")).rejects.toMatchObject({
      code: "TASKER_EMBEDDED_START_FAILED",
      message: expect.stringContaining('"/etc/passwd/nowhere" cannot be written'),
    })
  })
})
