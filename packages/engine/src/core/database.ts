/** What every database can do: run one statement and give its rows. */
export interface Queryable {
  /** Runs one statement. `name` makes it a prepared statement where the connection allows that. */
  query<Row = Record<string, unknown>>(statement: Statement): Promise<readonly Row[]>
}

/** One SQL statement. A `name` always stands for the same `text`. */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

/** A connection taken out of the pool. It belongs to the caller until `release()`, which may be called twice. */
export interface Connection extends Queryable {
  /** As {@link Database.transaction}, on this connection. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  release(): void
}

/** How many connections a pool has, the listener's apart. */
export interface PoolUse {
  /** How many it may have. */
  readonly size: number
  /** How many are open. */
  readonly open: number
  /** How many of these are in use. */
  readonly inUse: number
  /** How many calls wait for one. */
  readonly waiting: number
}

/**
 * The one seam between Tasker and whatever holds its tables.
 *
 * All kinds parse alike: int2, int4, int8 and floats → number; numeric, uuid and text → string; timestamptz → Date;
 * json and jsonb → the parsed value; bool → boolean; arrays of these → arrays.
 */
export interface Database extends Queryable {
  readonly kind: "postgres" | "embedded" | "pglite"
  /** Where it is, without any password; the URL another process could join by, when there is one. */
  readonly displayUrl: string
  /** Full URL for other processes on this machine (undefined for pglite). Holds the password: never logged. */
  readonly joinUrl: string | undefined
  /**
   * Runs one statement that may not take longer, the wait for a connection included: to see whether the database answers.
   * A connection that owes the answer is given up, so that asking again and again cannot use up the pool.
   *
   * @throws TASKER_DATABASE_UNAVAILABLE when there is no answer in time.
   */
  queryWithin<Row = Record<string, unknown>>(statement: Statement, timeoutMs: number): Promise<readonly Row[]>
  /** How the connections of the pool are used now; `undefined` where there is no pool, as with PGlite. */
  poolUse(): PoolUse | undefined
  /** Runs `work` between `begin` and `commit`; rolls back and rethrows when it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** A connection of one's own, e.g. a worker's lane. PGlite gives the one it has. */
  reserve(): Promise<Connection>
  /** Runs several statements in one simple-protocol string, no parameters: migrations only. */
  script(sql: string): Promise<void>
  /**
   * Calls back for each NOTIFY on the channel, and resolves once it listens. Survives lost connections: it listens again and
   * calls `onReset`, since notifications may have been missed.
   *
   * @returns a function that stops listening; it may be called twice.
   */
  listen(channel: string, onNotify: (payload: string) => void, onReset: () => void): Promise<() => Promise<void>>
  /**
   * Sends a notification to itself, and resolves when it has arrived.
   *
   * @throws TASKER_DATABASE_UNAVAILABLE when the connection that listens is lost, or nothing arrives in time.
   */
  probeListener(timeoutMs: number): Promise<void>
  /** Closes every connection. May be called twice. */
  close(): Promise<void>
}

/**
 * Tells whether an error means that the connection was lost, that the server is starting up or shutting down, or that it has
 * too many clients: worth retrying. Whether the statement took effect is unknown.
 */
export function isConnectionError(error: unknown): boolean {
  return someCause(
    error,
    (candidate) => CONNECTION_CODES.test(candidate.code ?? "") || CONNECTION_MESSAGES.test(candidate.message ?? ""),
  )
}

// 57P01 admin shutdown, 57P02 crash shutdown, 57P03 cannot connect now, 57P05 idle session timeout, 53300 too many connections.
const CONNECTION_CODES =
  /^(57P0[1235]|08...|53300|ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|TASKER_DATABASE_(UNAVAILABLE|BUSY))$/

// pg gives these without any code.
const CONNECTION_MESSAGES =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed and is not queryable|server conn crashed)/

interface ErrorLike {
  readonly code?: string
  readonly message?: string
  readonly cause?: unknown
}

function someCause(error: unknown, test: (candidate: ErrorLike) => boolean): boolean {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === "object" && current !== null; depth++) {
    // Every field is optional, and `code` and `message` are only read as text: true of any object that a driver throws.
    const candidate = current as ErrorLike
    if (test(candidate)) return true
    current = candidate.cause
  }
  return false
}
