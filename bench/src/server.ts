import { createTasker } from "@tasker/engine"
import { mkdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import pg from "pg"
import { READ_COUNTERS } from "./measure/usage.ts"
import { serverCpuMs } from "./measure/server-cpu.ts"
import type { Counters } from "./processes/apis.ts"

/** A PostgreSQL server to measure on. */
export interface Server {
  /** Makes an empty database; gives its URL. */
  createDatabase(name: string): Promise<string>
  dropDatabase(name: string): Promise<void>
  /** A connection to one of its databases. The caller ends it. */
  connect(database: string): Promise<pg.Client>
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** What was done in a database; the bytes of log are the server's. */
  counters(database: string): Promise<Counters>
  /** Of the whole server; null when it is on another machine. */
  cpuMs(): number | null
  close(): Promise<void>
}

/**
 * Starts an embedded server for the time of the benchmark, or uses the one at `url`.
 *
 * @param flushMs - how much longer each flush of the embedded server's log takes
 */
export async function openServer(url: string | undefined, flushMs: number): Promise<Server> {
  if (url !== undefined) return await connectServer(url, async () => {})
  const dir = join(tmpdir(), `tasker-bench-${process.pid}`)
  mkdirSync(dir, { mode: 0o755 })
  stopOnSignals()
  const keeper = await createTasker({ url: `embedded:${dir}`, notifications: false })
  const close = async (): Promise<void> => {
    await keeper.close()
    rmSync(dir, { recursive: true, force: true })
  }
  if (keeper.joinUrl !== undefined) {
    const server = await connectServer(keeper.joinUrl, close)
    if (flushMs > 0) await slowDown(server, flushMs)
    return server
  }
  await close()
  throw new Error("no PostgreSQL server runs here; try --databases pglite, or --url")
}

/** The server waits before a flush; who commits meanwhile shares it, as with any flush. */
async function slowDown(server: Server, flushMs: number): Promise<void> {
  // A number that was checked: the statement takes no parameters.
  await server.query(`alter system set commit_delay = ${flushMs * 1_000}`)
  await server.query("alter system set commit_siblings = 0")
  await server.query("select pg_reload_conf()")
}

/** Without, a benchmark that is interrupted would leave its server running: the engine stops it when the process exits. */
function stopOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // At once: measurements under way could only be waited for.
    process.once(signal, () => process.exit(130))
  }
}

async function connectServer(url: string, afterClose: () => Promise<void>): Promise<Server> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const query = async <Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await client.query<Row>(text, [...values])).rows
  const postmaster = isLocal(url) ? await postmasterPid(query) : undefined
  return {
    query,
    createDatabase: async (name) => {
      await query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
      await query(`create database ${pg.escapeIdentifier(name)}`)
      return urlOf(url, name)
    },
    dropDatabase: async (name) => {
      await query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
    },
    connect: async (database) => {
      const other = new pg.Client({ connectionString: urlOf(url, database) })
      await other.connect()
      return other
    },
    counters: async (database) => {
      const [row] = await query<{ wal_bytes: number; commits: number }>(`${READ_COUNTERS} $1`, [database])
      if (row === undefined) throw new Error(`there is no database "${database}"`)
      return { walBytes: row.wal_bytes, commits: row.commits }
    },
    cpuMs: () => (postmaster === undefined ? null : serverCpuMs(postmaster)),
    close: async () => {
      await client.end()
      await afterClose()
    },
  }
}

function urlOf(url: string, database: string): string {
  const target = new URL(url)
  target.pathname = `/${database}`
  return target.href
}

function isLocal(url: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname)
}

/** Undefined when the server does not let us read its file. */
async function postmasterPid(query: Server["query"]): Promise<number | undefined> {
  try {
    const [row] = await query<{ pid: number }>(
      "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer as pid",
    )
    return row?.pid
  } catch {
    return undefined
  }
}
