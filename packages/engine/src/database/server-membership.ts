import { randomUUID } from "node:crypto"
import { readdirSync, readFileSync, rmSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import pg from "pg"
import { atExit } from "./at-exit.ts"
import type { EmbeddedServer, StartServerOptions } from "./embedded-server.ts"
import { ensureRunning, findServer, withServerLock } from "./embedded-server.ts"
import { identityOf, isSameProcessAlive } from "./lock-file.ts"
import type { ProcessIdentity } from "./lock-file.ts"
import { signal } from "./postmaster.ts"
import { serverDirectory } from "./server-directory.ts"

/** One use of an embedded server by this process. */
export interface Membership {
  readonly server: EmbeddedServer
  /** Starts the server again if it is gone. */
  readonly revive: () => Promise<void>
  /** Ends this use, and stops the server when it was the last. May be called twice. */
  readonly leave: () => Promise<void>
}

// The server needs a moment to notice that a client has gone.
const LEAVING_MS = 1_000

/**
 * Joins the server of a directory, which is started when it does not run.
 *
 * The server belongs to nobody: each use leaves a file in `users/`, and the last one that leaves stops it, unless other
 * clients (a `psql`) are connected. A process that exits without leaving asks the server to stop once its clients have left.
 * A process that is killed leaves it running, for the next one to find.
 */
export async function joinServer(options: StartServerOptions): Promise<Membership> {
  const { usersDir } = serverDirectory(options.dir)
  const userFile = join(usersDir, `${process.pid}-${randomUUID()}.json`)
  let server = await withServerLock(options.dir, async () => {
    await writeFile(userFile, JSON.stringify(identityOf(process.pid)))
    try {
      return await ensureRunning(options)
    } catch (error) {
      rmSync(userFile, { force: true })
      throw error
    }
  })
  const onExit = (): void => {
    rmSync(userFile, { force: true })
    // SIGTERM is the smart shutdown: it waits for clients, so a psql that has joined is not thrown out.
    if (!isUsed(usersDir)) signal(server.pid, "SIGTERM")
  }
  const forgetExit = atExit(onExit)

  let reviving: Promise<void> | undefined
  let leaving: Promise<void> | undefined
  const revive = async (): Promise<void> => {
    server = await withServerLock(options.dir, async () => await ensureRunning(options))
  }
  return {
    get server() {
      return server
    },
    revive: () => {
      reviving ??= revive().finally(() => (reviving = undefined))
      return reviving
    },
    leave: () => {
      forgetExit()
      leaving ??= leave(options.dir, usersDir, userFile)
      return leaving
    },
  }
}

async function leave(dir: string, usersDir: string, userFile: string): Promise<void> {
  await withServerLock(dir, async () => {
    rmSync(userFile, { force: true })
    if (isUsed(usersDir)) return
    const server = await findServer(dir)
    if (server !== undefined && !(await hasClients(server))) await server.stop()
  })
}

// Also forgets the processes that ended without leaving.
function isUsed(usersDir: string): boolean {
  let used = false
  for (const name of listed(usersDir)) {
    const user = readUser(join(usersDir, name))
    if (user === undefined) continue
    if (isSameProcessAlive(user)) used = true
    else rmSync(join(usersDir, name), { force: true })
  }
  return used
}

function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function readUser(file: string): ProcessIdentity | undefined {
  try {
    // Written by `joinServer`, in this form.
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity
  } catch {
    return undefined
  }
}

async function hasClients(server: EmbeddedServer): Promise<boolean> {
  const client = new pg.Client({ connectionString: server.url("postgres"), connectionTimeoutMillis: 5_000 })
  client.on("error", () => {})
  try {
    await client.connect()
    const deadline = Date.now() + LEAVING_MS
    for (;;) {
      const { rows } = await client.query<{ clients: number }>(
        "select count(*)::int as clients from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
      )
      if (rows[0]?.clients === 0) return false
      if (Date.now() > deadline) return true
      await delay(20)
    }
  } catch {
    // It is full, or going down already: then it is used, or needs no help.
    return true
  } finally {
    await client.end().catch(() => {})
  }
}
