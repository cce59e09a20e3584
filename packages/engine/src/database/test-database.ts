import { createHash, randomBytes } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import pg from "pg"
import { inject } from "vitest"
import type { Database } from "../core/database.ts"
import type { ConnectOptions } from "./connect-options.ts"
import { connect } from "./connect.ts"
import type { EmbeddedServer } from "./embedded-server.ts"
import { startServer } from "./embedded-server.ts"
import { waitForLock } from "./lock-file.ts"
import { connectPglite } from "./pglite.ts"
import { hasServerBinaries } from "./server-binaries.ts"
import type { ServerVersion } from "./server-binaries.ts"
import { NOT_DURABLE } from "./test-broker.ts"

/** Brings an empty database to the schema that a test wants. */
export type Migrate = (database: Database) => Promise<unknown>

/** A database of a test's own. */
export interface TestDatabase {
  readonly database: Database
  /** For other processes and connections; `pglite:memory` for PGlite, which nobody else can join. */
  readonly url: string
  /** Closes the database and removes it. */
  close(): Promise<void>
}

/** One kind of database that tests run on. */
export interface TestDatabaseKind {
  readonly kind: "pglite" | "postgres 18" | "postgres 14"
  /** Makes a new database, a copy of one that was migrated once in this run. */
  readonly open: (options?: ConnectOptions) => Promise<TestDatabase>
}

/**
 * The databases that a suite runs on, for `describe.each(testDatabases(migrate))("on $kind", ({ open }) => …)`. Kinds whose
 * binaries are not installed on this platform are left out; PostgreSQL 14 is for linux-x64 only.
 *
 * @param migrate without it, a database is empty. It is run once per kind and run, and once more when `sql/` changes.
 */
export function testDatabases(migrate?: Migrate): readonly TestDatabaseKind[] {
  const versions = ([18, 14] as const).filter(hasServerBinaries)
  return [
    { kind: "pglite", open: async (options = {}) => await openPglite(migrate, options) },
    ...versions.map((version) => ({
      kind: `postgres ${version}` as const,
      open: async (options: ConnectOptions = {}) => await openPostgres(version, migrate, options),
    })),
  ]
}

/** One of {@link testDatabases}, by its kind. */
export function testDatabase(kind: TestDatabaseKind["kind"], migrate?: Migrate): TestDatabaseKind {
  const found = testDatabases(migrate).find((candidate) => candidate.kind === kind)
  if (found === undefined) throw new Error(`there are no binaries for "${kind}" on this platform`)
  return found
}

/** The server that the tests of this run share. Never stop it: a test that needs a crash starts one of its own. */
export async function testServer(version: ServerVersion): Promise<EmbeddedServer> {
  const started =
    servers.get(version)
    ?? startServer({ dir: join(inject("testServersDir"), `postgres-${version}`), version, settings: NOT_DURABLE })
  servers.set(version, started)
  return await started
}

// Once per process: the test files that vitest runs in it share this module.
const servers = new Map<ServerVersion, Promise<EmbeddedServer>>()

async function openPostgres(
  version: ServerVersion,
  migrate: Migrate | undefined,
  options: ConnectOptions,
): Promise<TestDatabase> {
  const server = await testServer(version)
  const name = `test_${randomBytes(6).toString("hex")}`
  const template = await templateOf(server, migrate)
  // Writing the copy to the log takes half of the time of copying files, which has to wait for checkpoints.
  await administer(server, `create database ${name} template ${template}${version >= 15 ? " strategy wal_log" : ""}`)
  const url = server.url(name)
  const database = await connect(url, options)
  return {
    database,
    url,
    close: async () => {
      await database.close()
      await administer(server, `drop database if exists ${name} with (force)`)
    },
  }
}

async function templateOf(server: EmbeddedServer, migrate: Migrate | undefined): Promise<string> {
  if (migrate === undefined) return "template0"
  const name = `template_${schemaHash()}`
  return await locked(name, async () => {
    const rows = await administer(server, `select 1 from pg_database where datname = '${name}'`)
    if (rows.length > 0) return name
    const draft = `${name}_new`
    await administer(server, `drop database if exists ${draft} with (force)`)
    await administer(server, `create database ${draft}`)
    const database = await connect(server.url(draft))
    try {
      await migrate(database)
    } finally {
      await database.close()
    }
    await administer(server, `alter database ${draft} rename to ${name}`)
    return name
  })
}

async function openPglite(migrate: Migrate | undefined, options: ConnectOptions): Promise<TestDatabase> {
  const dump = await pgliteDump(migrate)
  const database = await connectPglite({ dir: undefined, options, dump })
  return { database, url: "pglite:memory", close: async () => await database.close() }
}

// Loading a dump takes a tenth of the time that PGlite's initdb takes.
async function pgliteDump(migrate: Migrate | undefined): Promise<Blob> {
  const name = migrate === undefined ? "pglite-empty" : `pglite-${schemaHash()}`
  const file = join(inject("testServersDir"), `${name}.tar`)
  return await locked(name, async () => {
    const kept = await readFile(file).catch(() => undefined)
    if (kept !== undefined) return new Blob([kept])
    const database = await connectPglite({ dir: undefined, options: {} })
    try {
      await migrate?.(database)
      const dump = await database.dump()
      await writeFile(`${file}.new`, Buffer.from(await dump.arrayBuffer()))
      await rename(`${file}.new`, file)
      return dump
    } finally {
      await database.close()
    }
  })
}

async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(join(inject("testServersDir"), `${name}.lock`), 60_000)
  if (lock === undefined) throw new Error(`waited a minute for the lock "${name}"`)
  try {
    return await work()
  } finally {
    lock.release()
  }
}

async function administer(server: EmbeddedServer, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: server.url("postgres") })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

// In watch mode the servers outlive an edit of the schema; a template must not.
function schemaHash(): string {
  const root = fileURLToPath(new URL("../../sql", import.meta.url))
  const hash = createHash("sha256")
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)))
  }
  return hash.digest("hex").slice(0, 12)
}
