import { mkdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import type { PGlite, Transaction } from "@electric-sql/pglite"
import type { Connection, Database, Queryable, Statement } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { ConnectOptions } from "./connect-options.ts"
import type { HeldLock } from "./lock-file.ts"
import { tryLock } from "./lock-file.ts"
import { statementError } from "./postgres-errors.ts"
import { encodeValues, parsedOids, parserOf } from "./values.ts"

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

const POSTGRES_NAME = /^[^\0]+$/

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
    await lock?.release()
    throw error
  }
}

async function lockDirectory(dir: string): Promise<HeldLock> {
  await mkdir(dir, { recursive: true })
  const lock = await tryLock(join(dir, "tasker.lock"))
  if ("release" in lock) {
    process.once("exit", lock.releaseNow)
    return lock
  }
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
  const pglite = await Pglite.create({
    dataDir: dir === undefined ? "memory://" : join(dir, "data"),
    ...(dump === undefined ? {} : { loadDataDir: dump }),
  })
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

  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    this.#assertOpen()
    let open = true
    try {
      return await this.#pglite.transaction(async (transaction) => {
        try {
          return await work({
            query: async (statement) => {
              if (!open) throw transactionEnded("a transaction was used after its end")
              return await run(transaction, statement)
            },
          })
        } finally {
          open = false
        }
      })
    } catch (error) {
      if (error instanceof Error && error.name === "TransactionAbortedError") {
        throw transactionEnded("a transaction was to be committed after one of its statements failed")
      }
      throw statementError(error)
    }
  }

  async reserve(): Promise<Connection> {
    this.#assertOpen()
    let released = false
    return {
      query: async (statement) => {
        if (released) throw new TaskerError("TASKER_CLOSED", "a connection was used after its release")
        return await this.query(statement)
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

  async listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    this.#assertOpen()
    if (!POSTGRES_NAME.test(channel))
      throw new TaskerError("TASKER_OPTION_INVALID", "expected a channel name, got an empty one")
    const stop = await this.#pglite.listen(`"${channel.replaceAll('"', '""')}"`, onNotify)
    let stopped = false
    return async () => {
      if (stopped || this.#closing !== undefined) return
      stopped = true
      await stop()
    }
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
      if (this.#lock !== undefined) {
        process.off("exit", this.#lock.releaseNow)
        await this.#lock.release()
      }
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
