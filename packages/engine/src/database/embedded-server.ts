import { messageOf } from "../core/describe-value.ts"
import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { chown, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { dirname, join, resolve } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { promisify } from "node:util"
import pg from "pg"
import { TaskerError } from "../core/error.ts"
import type { Logger } from "../core/logger.ts"
import { silentLogger } from "../core/logger.ts"
import { waitForLock } from "./lock-file.ts"
import type { Postmaster } from "./postmaster.ts"
import { findPostmaster, READY_TIMEOUT_MS, signal, whenGone, whenReady } from "./postmaster.ts"
import type { ServerBinaries, ServerVersion } from "./server-binaries.ts"
import { prepareServerBinaries } from "./server-binaries.ts"
import type { ServerDirectory, ServerState } from "./server-directory.ts"
import {
  makeOwned,
  makeServerDirectory,
  newPassword,
  placeData,
  readServerState,
  serverDirectory,
  SUPERUSER,
  writeServerState,
} from "./server-directory.ts"
import { otherOwnerOf, spawnIdentity } from "./server-user.ts"

export interface StartServerOptions {
  /** Where the server keeps everything. Made when it is not there. */
  readonly dir: string
  /** Default: 18. */
  readonly version?: ServerVersion
  /** More settings, as in `postgresql.conf`. A test may turn `fsync` off; nothing else should. */
  readonly settings?: Readonly<Record<string, string>>
  readonly logger?: Logger
}

/** A server that runs, or ran: it may be stopped by anybody at any time. */
export interface EmbeddedServer {
  readonly dir: string
  readonly port: number
  /** The pid of the postmaster. */
  readonly pid: number
  /** Whether this call started it. */
  readonly isNew: boolean
  /** With the password: never log it. */
  url(database?: string): string
  /**
   * Stops it and waits until it is gone. `fast` ends sessions and writes a checkpoint; `immediate` (SIGQUIT) and `kill`
   * (SIGKILL of the postmaster) are crashes, after which the next start recovers.
   */
  stop(how?: "fast" | "immediate" | "kill"): Promise<void>
  /** Starts it again, on the same port, and gives what runs then. */
  restart(): Promise<EmbeddedServer>
}

const DATABASE = "tasker"
const STOP_TIMEOUT_MS = 60_000
const STOP_SIGNALS = { fast: "SIGINT", immediate: "SIGQUIT", kill: "SIGKILL" } as const

/**
 * Starts a PostgreSQL server on a directory, or finds the one that runs there. Safe when several processes do it at once. The
 * server outlives the process that started it, until somebody stops it.
 *
 * @throws TASKER_EMBEDDED_UNAVAILABLE when there are no binaries that run here, TASKER_EMBEDDED_START_FAILED when the server
 * does not start.
 */
export async function startServer(options: StartServerOptions): Promise<EmbeddedServer> {
  return await withServerLock(options.dir, async () => await ensureRunning(options))
}

/** Runs something while nobody else starts or stops the server of a directory. */
export async function withServerLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const directory = serverDirectory(resolve(dir))
  await makeServerDirectory(directory)
  const lock = await waitForLock(directory.lockFile, READY_TIMEOUT_MS)
  if (lock === undefined) {
    throw startFailed(directory, "another process has been starting it for two minutes")
  }
  try {
    return await work()
  } finally {
    lock.release()
  }
}

/** Starts or finds the server. Only under {@link withServerLock}. */
export async function ensureRunning(options: StartServerOptions): Promise<EmbeddedServer> {
  const directory = serverDirectory(resolve(options.dir))
  const known = await readServerState(directory)
  const running = known === undefined ? undefined : await findRunning(known.dataDir)
  if (known !== undefined && running !== undefined) return describe(options, known, running, false)

  const owner = known !== undefined && existsSync(known.dataDir) ? await otherOwnerOf(known.dataDir) : undefined
  const binaries = await prepareServerBinaries(options.version ?? 18, owner)
  let state = known ?? (await firstState(directory, binaries, options.logger ?? silentLogger))
  if (!existsSync(join(state.dataDir, "PG_VERSION"))) await initialise(directory, state, binaries)
  await assertVersion(directory, state, options.version ?? 18)
  const { postmaster, port } = await launch(directory, state, binaries, options.settings ?? {})
  if (port !== state.port || !state.hasDatabase) {
    if (!state.hasDatabase) await createDatabase(urlOf({ ...state, port }, "postgres"))
    state = { ...state, port, hasDatabase: true }
    await writeServerState(directory, state)
  }
  return describe(options, state, postmaster, true)
}

/** The server that runs on a directory, if one does. */
export async function findServer(dir: string): Promise<EmbeddedServer | undefined> {
  const state = await readServerState(serverDirectory(resolve(dir)))
  const running = state === undefined ? undefined : await findPostmaster(state.dataDir)
  return state === undefined || running === undefined ? undefined : describe({ dir }, state, running, false)
}

async function findRunning(dataDir: string): Promise<Postmaster | undefined> {
  const found = await findPostmaster(dataDir)
  if (found === undefined) return undefined
  if (found.status !== "stopping") {
    // The pid of a stale file may by now be another PostgreSQL's: then nobody gets ready here.
    const ready = await whenReady(dataDir, () => false)
    if (ready !== undefined) return ready
  }
  // A smart shutdown waits for the last client, which may never leave.
  if (!(await whenGone(found.pid, 3_000))) signal(found.pid, "SIGINT")
  await whenGone(found.pid, STOP_TIMEOUT_MS)
  return undefined
}

function describe(
  options: StartServerOptions,
  state: ServerState,
  postmaster: Postmaster,
  isNew: boolean,
): EmbeddedServer {
  return {
    dir: resolve(options.dir),
    port: postmaster.port,
    pid: postmaster.pid,
    isNew,
    url: (database = DATABASE) => urlOf({ ...state, port: postmaster.port }, database),
    stop: async (how = "fast") => {
      signal(postmaster.pid, STOP_SIGNALS[how])
      if (!(await whenGone(postmaster.pid, STOP_TIMEOUT_MS))) {
        throw new TaskerError(
          "TASKER_EMBEDDED_START_FAILED",
          `the embedded server ${postmaster.pid} did not stop within a minute`,
        )
      }
    },
    restart: async () => await startServer(options),
  }
}

function urlOf({ port, password }: ServerState, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`
}

async function firstState(directory: ServerDirectory, binaries: ServerBinaries, logger: Logger): Promise<ServerState> {
  if (existsSync(join(directory.dir, "data", "PG_VERSION"))) {
    throw startFailed(directory, `there is data, but "${directory.stateFile}" with its password is gone`)
  }
  const dataDir = await placeData(directory, binaries.user)
  if (dataDir !== join(directory.dir, "data")) {
    logger.warn(
      { dir: directory.dir, dataDir },
      "the user that PostgreSQL runs as cannot reach the directory; its data is elsewhere",
    )
  }
  const state = { port: await freePort(), password: newPassword(), dataDir, hasDatabase: false }
  // Before the data: data without its password is lost, a password without data is not.
  await writeServerState(directory, state)
  return state
}

// Into a directory of another name, so that what a killed initdb leaves behind is never taken for a database.
async function initialise(
  directory: ServerDirectory,
  { dataDir, password }: ServerState,
  { initdb, user }: ServerBinaries,
): Promise<void> {
  const draft = `${dataDir}.new`
  const passwordFile = join(dirname(dataDir), "password.new")
  await rm(draft, { recursive: true, force: true })
  await rm(passwordFile, { force: true })
  try {
    await makeOwned(draft, user)
    await writeFile(passwordFile, password, { mode: 0o600, flag: "wx" })
    if (user !== undefined) await chown(passwordFile, user.uid, user.gid)
    const locale = ["--encoding=UTF8", "--locale=C", "--no-instructions"]
    const args = [
      "-D",
      draft,
      "-U",
      SUPERUSER,
      "--auth=scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--no-sync",
      ...locale,
    ]
    await promisify(execFile)(initdb, args, { ...spawnIdentity(user), cwd: "/", timeout: READY_TIMEOUT_MS })
    await rename(draft, dataDir)
  } catch (error) {
    // execFile's message repeats what initdb wrote.
    throw startFailed(directory, `initdb: ${messageOf(error)}`, error)
  } finally {
    await rm(passwordFile, { force: true })
  }
}

async function assertVersion(
  directory: ServerDirectory,
  { dataDir }: ServerState,
  version: ServerVersion,
): Promise<void> {
  const found = (await readFile(join(dataDir, "PG_VERSION"), "utf8")).trim()
  if (found === String(version)) return
  throw new TaskerError(
    "TASKER_EMBEDDED_START_FAILED",
    `the data in "${dataDir}" is of PostgreSQL ${found}, the server is ${version}`,
    {
      hint: `dump it with the Tasker that wrote it and restore it, or remove "${directory.dir}" to start anew`,
    },
  )
}

interface Launched {
  readonly postmaster: Postmaster
  readonly port: number
}

async function launch(
  directory: ServerDirectory,
  state: ServerState,
  binaries: ServerBinaries,
  settings: Readonly<Record<string, string>>,
): Promise<Launched> {
  await trimLog(directory.logFile)
  let { port } = state
  const deadline = Date.now() + 10_000
  for (;;) {
    const logStart = await sizeOf(directory.logFile)
    const postmaster = await spawnServer(directory, state.dataDir, binaries, {
      ...SETTINGS,
      ...settings,
      port: String(port),
    })
    if (postmaster !== undefined) return { postmaster, port }
    const log = (await readFile(directory.logFile, "utf8").catch(() => "")).slice(logStart)
    // Sessions of a server that was killed end soon, and hold its shared memory until then.
    const isTransient = /pre-existing shared memory block|lock file "postmaster\.pid" already exists/.test(log)
    const isPortTaken = /could not bind|Address already in use|could not create any TCP\/IP sockets/.test(log)
    if ((!isTransient && !isPortTaken) || Date.now() > deadline) throw startFailed(directory, lastWords(log))
    if (isPortTaken) port = await freePort()
    await delay(100)
  }
}

// Durable as any PostgreSQL: fsync and synchronous_commit stay on. The rest suits a small machine that others work on.
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  shared_buffers: "128MB",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
  // The user is called as the schema is: by default, what users create without naming a schema would go into Tasker's.
  search_path: "public",
  log_checkpoints: "off",
  logging_collector: "off",
}

async function spawnServer(
  directory: ServerDirectory,
  dataDir: string,
  { postgres, pgCtl, user }: ServerBinaries,
  settings: Readonly<Record<string, string>>,
): Promise<Postmaster | undefined> {
  const args = ["-D", dataDir, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])]
  const log = await open(directory.logFile, "a", 0o600)
  try {
    if (process.platform === "win32") return await startByPgCtl(pgCtl, dataDir, directory.logFile, args.slice(2))
    // Detached, so that Ctrl-C in a terminal ends the process but not the server under it.
    const child = spawn(postgres, args, {
      ...spawnIdentity(user),
      cwd: dataDir,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    })
    let gone = false
    child.once("exit", () => (gone = true))
    child.once("error", () => (gone = true))
    child.unref()
    return await whenReady(dataDir, () => gone)
  } finally {
    await log.close()
  }
}

// On Windows only pg_ctl can drop the rights of an administrator, which PostgreSQL refuses.
async function startByPgCtl(
  pgCtl: string,
  dataDir: string,
  logFile: string,
  args: readonly string[],
): Promise<Postmaster | undefined> {
  const quoted = args.map((arg) => `"${arg}"`).join(" ")
  await promisify(execFile)(pgCtl, ["start", "-w", "-D", dataDir, "-l", logFile, "-o", quoted]).catch(() => undefined)
  return await findPostmaster(dataDir)
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`create database ${DATABASE}`)
  } catch (error) {
    // 42P04: an earlier start created it and was killed before it could note so.
    if (!(error instanceof pg.DatabaseError && error.code === "42P04")) throw error
  } finally {
    await client.end()
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolvePort, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolvePort(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}

async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

// The server only ever appends; one older log is kept.
async function trimLog(logFile: string): Promise<void> {
  if ((await sizeOf(logFile)) > 10_000_000) await rename(logFile, `${logFile}.old`)
}

function lastWords(log: string): string {
  const lines = log.trim().split("\n")
  const fatal = lines.filter((line) => /FATAL|PANIC/.test(line))
  return (fatal.length > 0 ? fatal : lines).slice(-3).join(" / ") || "it ended without a word"
}

function startFailed(directory: ServerDirectory, reason: string, cause?: unknown): TaskerError {
  return new TaskerError(
    "TASKER_EMBEDDED_START_FAILED",
    `the embedded PostgreSQL server in "${directory.dir}" did not start: ${reason}`,
    {
      hint: `read ${directory.logFile}`,
      cause,
    },
  )
}
