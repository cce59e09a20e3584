import pg from "pg"
import type { Connection, Database, PoolUse, Queryable, Statement } from "../core/database.ts"
import { isConnectionError } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { Logger } from "../core/logger.ts"
import { silentLogger } from "../core/logger.ts"
import type { ConnectOptions } from "./connect-options.ts"
import { checkOutError, connectError, isStalePlan, statementError } from "./postgres-errors.ts"
import { PostgresListener } from "./postgres-listener.ts"
import { encodeValues, parserOf } from "./values.ts"
import { within } from "./within.ts"

/** What tells one PostgreSQL connection pool from another. */
export interface PostgresSettings {
  readonly kind: "postgres" | "embedded"
  readonly url: string
  readonly displayUrl: string
  readonly options: ConnectOptions
  /** Brings back a server that refuses connections; called at most once per refused query. The embedded kind has one. */
  readonly revive?: () => Promise<void>
  /** Runs after all connections are closed. */
  readonly afterClose?: () => Promise<void>
}

const OLDEST_VERSION = 140_000
const CLOSE_GRACE_MS = 5_000

/**
 * Connects to PostgreSQL by the `pg` driver, and makes one connection to see that it answers.
 *
 * @throws TASKER_DATABASE_UNAVAILABLE when nobody answers there, TASKER_DATABASE_REFUSED when the server refuses the user or
 * the database, TASKER_DATABASE_UNSUPPORTED when it is older than PostgreSQL 14.
 */
export async function connectPostgres(settings: PostgresSettings): Promise<Database> {
  const database = new PostgresDatabase(settings)
  try {
    const rows = await database.query<{ version: number }>({
      text: "select current_setting('server_version_num')::int as version",
    })
    const version = rows[0]?.version ?? 0
    if (version < OLDEST_VERSION) throw unsupported(version, settings.displayUrl)
    return database
  } catch (error) {
    await database.discard()
    throw connectError(error, settings.displayUrl)
  }
}

function unsupported(version: number, displayUrl: string): TaskerError {
  const found = Math.floor(version / 10_000)
  return new TaskerError(
    "TASKER_DATABASE_UNSUPPORTED",
    `expected PostgreSQL 14 or newer at ${displayUrl}, got ${found}`,
    {
      hint: "use PostgreSQL 14 or newer",
      details: { version },
    },
  )
}

/** The connection of a statement, as long as that has it. A moment later it may be somebody else's. */
interface Hold {
  client?: pg.PoolClient
  /** Nobody waits any more. */
  isOver?: boolean
}

class PostgresDatabase implements Database {
  readonly kind: "postgres" | "embedded"
  readonly displayUrl: string
  readonly #settings: PostgresSettings
  readonly #logger: Logger
  readonly #poolSize: number
  readonly #waitMs: number
  readonly #pool: pg.Pool
  readonly #listener: PostgresListener
  readonly #checkedOut = new Set<pg.PoolClient>()
  // Statements whose plan went stale on a live connection: `pg` cannot prepare a name twice, so they run unnamed.
  readonly #unprepared = new Set<string>()
  #closing: Promise<void> | undefined

  constructor(settings: PostgresSettings) {
    const { options } = settings
    this.kind = settings.kind
    this.displayUrl = settings.displayUrl
    this.#settings = settings
    this.#logger = options.logger ?? silentLogger
    this.#poolSize = options.poolSize ?? 10
    this.#waitMs = options.connectTimeoutMs ?? 10_000
    const clientConfig: pg.ClientConfig = {
      connectionString: settings.url,
      application_name: options.applicationName ?? "tasker",
      connectionTimeoutMillis: this.#waitMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // pg overloads it for binary results, which are never asked for.
      types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
    }
    this.#pool = new pg.Pool({ ...clientConfig, max: this.#poolSize, idleTimeoutMillis: 30_000 })
    // A connection that dies, idle or taken, must not end the process: the pool replaces it, its user gets an error.
    this.#pool.on("error", (error) => this.#logger.debug({ error: error.message }, "an idle connection was lost"))
    this.#pool.on("connect", (client) => client.on("error", ignore))
    const notify = async (text: string, timeoutMs: number) => void (await this.queryWithin({ text }, timeoutMs))
    this.#listener = new PostgresListener({ clientConfig, logger: this.#logger, notify })
  }

  get joinUrl(): string {
    return this.#settings.url
  }

  async query<Row = Record<string, unknown>>(statement: Statement): Promise<readonly Row[]> {
    return await this.#query<Row>(statement, {})
  }

  async queryWithin<Row = Record<string, unknown>>(statement: Statement, timeoutMs: number): Promise<readonly Row[]> {
    const hold: Hold = {}
    try {
      return await within(this.#query<Row>(statement, hold), timeoutMs, `${this.displayUrl} did not answer`)
    } finally {
      hold.isOver = true
      // It owes an answer, and may never give it.
      if (hold.client !== undefined) this.#giveBack(hold.client, true)
    }
  }

  poolUse(): PoolUse {
    const { totalCount, idleCount, waitingCount } = this.#pool
    return { size: this.#poolSize, open: totalCount, inUse: totalCount - idleCount, waiting: waitingCount }
  }

  async #query<Row>(statement: Statement, hold: Hold): Promise<readonly Row[]> {
    const client = await this.#checkOut()
    let broken = false
    try {
      if (hold.isOver === true) throw closed("nobody waits for the answer any more")
      hold.client = client
      return await this.#run<Row>(client, statement, true)
    } catch (error) {
      broken = isConnectionError(error)
      throw error
    } finally {
      delete hold.client
      this.#giveBack(client, broken)
    }
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const connection = await this.reserve()
    try {
      return await connection.transaction(work)
    } finally {
      connection.release()
    }
  }

  async reserve(): Promise<Connection> {
    const client = await this.#checkOut()
    let released = false
    let broken = false
    const assertHeld = () => {
      if (released) throw closed("a connection was used after its release")
    }
    return {
      query: async (statement) => {
        assertHeld()
        try {
          return await this.#run(client, statement, true)
        } catch (error) {
          broken ||= isConnectionError(error)
          throw error
        }
      },
      transaction: async (work) => {
        assertHeld()
        let isOfWork = false
        const noted = async (tx: Queryable) => {
          try {
            return await work(tx)
          } catch (error) {
            isOfWork = true
            throw error
          }
        }
        try {
          return await this.#transact(client, noted)
        } catch (error) {
          // What the work throws may tell of another connection, e.g. of a `fetch`: `rollback` shows how this one is.
          // After a failed one nobody knows what state it is in.
          broken ||= (!isOfWork && isConnectionError(error)) || !(await rolledBack(client))
          throw isOfWork ? error : statementError(error)
        }
      },
      release: () => {
        if (released) return
        released = true
        this.#giveBack(client, broken)
      },
    }
  }

  async #transact<T>(client: pg.PoolClient, work: (tx: Queryable) => Promise<T>): Promise<T> {
    let open = true
    const tx: Queryable = {
      query: async (statement) => {
        if (!open) throw transactionEnded("a transaction was used after its end")
        return await this.#run(client, statement, false)
      },
    }
    try {
      await client.query("begin")
      const result = await work(tx)
      open = false
      const { command } = await client.query("commit")
      if (command === "ROLLBACK") {
        throw transactionEnded("a transaction was to be committed after one of its statements failed")
      }
      return result
    } finally {
      open = false
    }
  }

  async script(sql: string): Promise<void> {
    const client = await this.#checkOut()
    let broken = true
    try {
      await client.query(sql)
      broken = false
    } catch (error) {
      // A script may have failed between its own BEGIN and COMMIT.
      broken = isConnectionError(error) || !(await rolledBack(client))
      throw statementError(error)
    } finally {
      this.#giveBack(client, broken)
    }
  }

  async listen(
    channel: string,
    onNotify: (payload: string) => void,
    onReset: () => void,
  ): Promise<() => Promise<void>> {
    if (this.#closing !== undefined) throw closed("the database is closed")
    if (this.#settings.options.notifications === false) return async () => {}
    return await this.#listener.listen(channel, onNotify, onReset)
  }

  async probeListener(timeoutMs: number): Promise<void> {
    if (this.#closing !== undefined) throw closed("the database is closed")
    await this.#listener.probe(timeoutMs)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Closes what connecting has opened, without the last step of `close`. */
  async discard(): Promise<void> {
    this.#closing ??= this.#endPool()
    await this.#closing
  }

  async #close(): Promise<void> {
    await this.#listener.close()
    await this.#endPool()
    await this.#settings.afterClose?.()
  }

  // Connections that are still in use get a while to finish; then they are cut, so that close() always ends.
  async #endPool(): Promise<void> {
    const timer = setTimeout(() => {
      this.#logger.warn({ connections: this.#checkedOut.size }, "closing the database cuts connections that are in use")
      for (const client of this.#checkedOut) this.#giveBack(client, true)
    }, this.#settings.options.closeGraceMs ?? CLOSE_GRACE_MS)
    try {
      await this.#pool.end()
    } finally {
      clearTimeout(timer)
    }
  }

  async #checkOut(): Promise<pg.PoolClient> {
    if (this.#closing !== undefined) throw closed("the database is closed")
    try {
      return this.#taken(await this.#pool.connect())
    } catch (error) {
      if (this.#settings.revive === undefined || !isRefused(error))
        throw checkOutError(error, this.#poolSize, this.#waitMs)
      await this.#settings.revive()
      return this.#taken(await this.#pool.connect())
    }
  }

  #taken(client: pg.PoolClient): pg.PoolClient {
    this.#checkedOut.add(client)
    return client
  }

  #giveBack(client: pg.PoolClient, broken: boolean): void {
    if (this.#checkedOut.delete(client)) client.release(broken)
  }

  async #run<Row>(client: pg.PoolClient, statement: Statement, mayRepeat: boolean): Promise<Row[]> {
    const name = this.#preparedName(statement)
    const query: pg.QueryConfig = { text: statement.text }
    if (name !== undefined) query.name = name
    if (statement.values !== undefined) query.values = encodeValues(statement.values)
    try {
      // The caller names the shape of its own columns; `pg` types every row as any.
      return (await ask(client, query)) as Row[]
    } catch (error) {
      // It was made where the answer was read. From here the trace leads to whoever asked.
      if (error instanceof Error) Error.captureStackTrace(error)
      if (name === undefined || !isStalePlan(error)) throw statementError(error)
      this.#unprepared.add(name)
      // In a transaction the failure has aborted what came before, so the caller has to see it.
      if (!mayRepeat) throw error
      return await this.#run(client, statement, false)
    }
  }

  #preparedName({ name }: Statement): string | undefined {
    if (name === undefined || this.#settings.options.preparedStatements === false) return undefined
    return this.#unprepared.has(name) ? undefined : name
  }
}

/**
 * By pg's callback: its promise keeps rows that nobody holds any more from the collector of young objects, which then
 * copies them twice: a good part of a worker's CPU time.
 */
async function ask(client: pg.PoolClient, query: pg.QueryConfig): Promise<unknown[]> {
  return await new Promise((resolve, reject) => {
    client.query(query, (error: Error | null, result) => (error === null ? resolve(result.rows) : reject(error)))
  })
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query("rollback")
    return true
  } catch {
    return false
  }
}

function isRefused(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "ECONNREFUSED"
}

function ignore(): void {}

function closed(message: string): TaskerError {
  return new TaskerError("TASKER_CLOSED", message)
}

function transactionEnded(message: string): TaskerError {
  return new TaskerError("TASKER_TRANSACTION_ENDED", message, {
    hint: "await every statement inside the transaction, and let its errors pass",
  })
}
