import { existsSync } from "node:fs"
import { mkdir, rename, rm } from "node:fs/promises"
import { join, resolve } from "node:path"
import type { PGlite, Transaction } from "@electric-sql/pglite"
import pg from "pg"
import type { Connection, Database, Queryable, Statement } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { ConnectOptions } from "./connect-options.ts"
import type { HeldLock } from "./lock-file.ts"
import { tryLock } from "./lock-file.ts"
import { pgliteImage } from "./pglite-image.ts"
import { statementError } from "./postgres-errors.ts"
import { encodeValues, parsedOids, parserOf } from "./values.ts"
import { within } from "./within.ts"

/** Where a PGlite database lives, and what it starts from. */
export interface PgliteSettings {
  /** `undefined` keeps it in memory. */
  readonly dir: string | undefined
  readonly options: ConnectOptions
  /** A dump of another PGlite to start from, in place of an empty database. */
  readonly dump?: Blob
}

/** A PGlite database, with the one thing that only it can do. */
export interface PgliteDatabase extends Database {
  /** Everything in it, as a file that another can start from. */
  dump(): Promise<Blob>
}

/**
 * Opens a PostgreSQL that runs inside this process.
 *
 * It has one session: statements run one after the other, and a transaction keeps all others waiting. What it writes survives
 * the end of the process, but not a power cut: PGlite does not fsync. `statement_timeout` has no effect.
 *
 * @throws TASKER_DATABASE_IN_USE when another process, or this one, has the directory open.
 */
export async function connectPglite(settings: PgliteSettings): Promise<PgliteDatabase> {
  const dir = settings.dir === undefined ? undefined : resolve(settings.dir)
  const lock = dir === undefined ? undefined : await lockDirectory(dir)
  try {
    return new PgliteConnection(await openPglite(dir, settings.dump), dir, lock)
  } catch (error) {
    lock?.release()
    throw error
  }
}

async function lockDirectory(dir: string): Promise<HeldLock> {
  await mkdir(dir, { recursive: true })
  const lock = await tryLock(join(dir, "tasker.lock"))
  if ("release" in lock) return lock
  throw new TaskerError(
    "TASKER_DATABASE_IN_USE",
    `the PGlite directory "${dir}" is open in process ${lock.pid} on "${lock.host}"`,
    {
      hint: "stop that process, or use embedded:DIR, which many processes can share",
      details: { dir, pid: lock.pid, host: lock.host },
    },
  )
}

async function openPglite(dir: string | undefined, dump: Blob | undefined): Promise<PGlite> {
  // Thirteen megabytes of WebAssembly, which users of a real server need not load.
  const { PGlite: Pglite } = await import("@electric-sql/pglite")
  const create = async (): Promise<PGlite> => await Pglite.create("memory://")
  const load = async (dataDir: string, blob: Blob): Promise<PGlite> =>
    await Pglite.create(dataDir, { loadDataDir: blob })
  if (dir === undefined) {
    return await prepared(
      dump === undefined ? await fromImage("memory://", create, load) : await load("memory://", dump),
    )
  }
  const dataDir = join(dir, "data")
  if (!existsSync(dataDir)) {
    // Under another name first, so that what a killed process leaves half done is never taken for a database.
    await rm(`${dataDir}.new`, { recursive: true, force: true })
    await (await fromImage(`${dataDir}.new`, create, load)).close()
    await rename(`${dataDir}.new`, dataDir)
  }
  return await prepared(await Pglite.create(dataDir))
}

async function fromImage(
  dataDir: string,
  create: () => Promise<PGlite>,
  load: (dataDir: string, blob: Blob) => Promise<PGlite>,
): Promise<PGlite> {
  const image = await pgliteImage(create)
  try {
    return await load(dataDir, image.blob)
  } catch {
    // A damaged image is made anew.
    await image.forget()
    if (!dataDir.includes("://")) await rm(dataDir, { recursive: true, force: true })
    return await load(dataDir, (await pgliteImage(create)).blob)
  }
}

async function prepared(pglite: PGlite): Promise<PGlite> {
  // PGlite has its own idea of values in both directions, and adds one for each array type at start. Ours replace them all.
  pglite.parsers = Object.fromEntries(parsedOids().map((oid) => [oid, parserOf(oid)]))
  pglite.serializers = {}
  await pglite.exec("set time zone 'UTC'")
  return pglite
}

class PgliteConnection implements PgliteDatabase {
  readonly kind = "pglite"
  readonly joinUrl = undefined
  readonly displayUrl: string
  readonly #pglite: PGlite
  readonly #lock: HeldLock | undefined
  readonly #listening = new Map<string, number>()
  #closing: Promise<void> | undefined

  constructor(pglite: PGlite, dir: string | undefined, lock: HeldLock | undefined) {
    this.#pglite = pglite
    this.#lock = lock
    this.displayUrl = dir === undefined ? "pglite:memory" : `pglite:${dir}`
  }

  async query<Row = Record<string, unknown>>(statement: Statement): Promise<readonly Row[]> {
    this.#assertOpen()
    return await run<Row>(this.#pglite, statement)
  }

  async queryWithin<Row = Record<string, unknown>>(statement: Statement, timeoutMs: number): Promise<readonly Row[]> {
    return await within(this.query<Row>(statement), timeoutMs, `${this.displayUrl} did not answer`)
  }

  poolUse(): undefined {
    return undefined
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    this.#assertOpen()
    const progress: { state: "open" | "refused" | "committing" | "ended" } = { state: "open" }
    const inTransaction = async (transaction: Transaction): Promise<T> => {
      const tx: Queryable = {
        query: async (statement) => {
          if (progress.state !== "open") throw transactionEnded("a transaction was used after its end")
          return await run(transaction, statement)
        },
      }
      try {
        const result = await work(tx)
        progress.state = "committing"
        return result
      } catch (error) {
        progress.state = "refused"
        throw error
      }
    }
    try {
      return await this.#pglite.transaction(inTransaction)
    } catch (error) {
      // PGlite gives this code to a COMMIT that rolled back.
      if (progress.state === "committing" && error instanceof Error && "code" in error && error.code === "25P02") {
        throw transactionEnded("a transaction was to be committed after one of its statements failed")
      }
      // What the work throws may tell of another connection, e.g. of a `fetch`.
      throw progress.state === "refused" ? error : statementError(error)
    } finally {
      progress.state = "ended"
    }
  }

  async reserve(): Promise<Connection> {
    this.#assertOpen()
    let released = false
    const assertHeld = () => {
      if (released) throw new TaskerError("TASKER_CLOSED", "a connection was used after its release")
    }
    return {
      query: async (statement) => {
        assertHeld()
        return await this.query(statement)
      },
      transaction: async (work) => {
        assertHeld()
        return await this.transaction(work)
      },
      release: () => {
        released = true
      },
    }
  }

  async script(sql: string): Promise<void> {
    this.#assertOpen()
    try {
      await this.#pglite.exec(sql)
    } catch (error) {
      // A script may have failed between its own BEGIN and COMMIT.
      if (this.#pglite.isInTransaction()) await this.#pglite.exec("rollback")
      throw statementError(error)
    }
  }

  // PGlite's own listen() does not undo the quoting of a name, so it would miss names with quotes in them.
  async listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    await this.query({ text: `listen ${pg.escapeIdentifier(channel)}` })
    const forget = this.#pglite.onNotification((notified, payload) => {
      if (notified === channel) onNotify(payload)
    })
    this.#listening.set(channel, (this.#listening.get(channel) ?? 0) + 1)
    let stopped = false
    return async () => {
      if (stopped) return
      stopped = true
      forget()
      const left = (this.#listening.get(channel) ?? 1) - 1
      this.#listening.set(channel, left)
      if (left === 0 && this.#closing === undefined)
        await this.query({ text: `unlisten ${pg.escapeIdentifier(channel)}` })
    }
  }

  async probeListener(timeoutMs: number): Promise<void> {
    // It listens in its only session, so there is no other connection that could be lost.
    await this.queryWithin({ text: "select" }, timeoutMs)
  }

  async dump(): Promise<Blob> {
    this.#assertOpen()
    return await this.#pglite.dumpDataDir("none")
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.#pglite.close()
    } finally {
      this.#lock?.release()
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new TaskerError("TASKER_CLOSED", "the database is closed")
  }
}

async function run<Row>(session: PGlite | Transaction, statement: Statement): Promise<Row[]> {
  try {
    const values = statement.values === undefined ? [] : encodeValues(statement.values)
    return (await session.query<Row>(statement.text, values)).rows
  } catch (error) {
    throw statementError(error)
  }
}

function transactionEnded(message: string): TaskerError {
  return new TaskerError("TASKER_TRANSACTION_ENDED", message, {
    hint: "await every statement inside the transaction, and let its errors pass",
  })
}
