import { createTasker, silentLogger, type Tasker } from "@tasker/engine"
import { join } from "node:path"
import pg from "pg"
import { inject } from "vitest"
import { until, within } from "./until.ts"
import { type ChaosWorkflows, chaosWorkflows, CREATE_EFFECTS, NO_HANDLERS } from "./chaos-workflows.ts"

declare module "vitest" {
  export interface ProvidedContext {
    /** Given by the engine's test-setup.ts, which stops servers in it at the end, whatever happened. */
    readonly testServersDir: string
  }
}

/** A PostgreSQL server of a test file's own, with fsync on, and the database that its tests use. */
export interface ChaosServer {
  readonly tasker: Tasker
  readonly workflows: ChaosWorkflows
  /** By which workers join. */
  readonly url: string
  readonly query: <Row extends object>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>
  close(): Promise<void>
}

/** Starts a server, or rather lets the engine start one, as it does for its users. */
export async function startChaosServer(name: string): Promise<ChaosServer> {
  const workflows = chaosWorkflows(NO_HANDLERS)
  const tasker = await createTasker({
    url: `embedded:${join(inject("testServersDir"), `chaos-${name}`)}`,
    workflows: Object.values(workflows),
    logger: silentLogger,
  })
  const { joinUrl } = tasker
  if (joinUrl === undefined) throw new Error("the chaos tests need a PostgreSQL server, and none runs here")
  const pool = new pg.Pool({ connectionString: joinUrl, max: 2 })
  // Tests crash the server; a connection that dies by it says so to whoever uses it.
  pool.on("error", () => {})
  await pool.query(CREATE_EFFECTS)
  return {
    tasker,
    workflows,
    url: joinUrl,
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(text, [...values])).rows,
    close: async () => {
      await pool.end()
      await tasker.close()
    },
  }
}

/** Ends the server as a power cut does, or as an operator in a hurry. */
export async function crash({ query }: ChaosServer, signal: NodeJS.Signals): Promise<void> {
  const [row] = await query<{ pid: number }>(
    "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer as pid",
  )
  if (row === undefined) throw new Error("the server has no pid")
  process.kill(row.pid, signal)
  await within("the server is gone", 10_000, gone(row.pid))
}

async function gone(pid: number): Promise<void> {
  await until("it is gone", 10_000, () => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  })
}
