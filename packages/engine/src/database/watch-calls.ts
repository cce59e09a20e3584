import { type Connection, type Database, isConnectionError, type Queryable, type Statement } from "../core/database.ts"

/** A statement that the database answered, or refused. */
export interface DatabaseCall {
  /**
   * The function of the schema that it calls, such as `advance`; `begin`, `commit` and `rollback` of a transaction; `other`
   * for statements of a handler's own.
   */
  readonly operation: string
  /** From sending it to its answer, in milliseconds; the wait for a connection included where it had none. */
  readonly durationMs: number
  /** Whether it was refused, or its answer never came. A `commit` that the database made a rollback failed, too. */
  readonly failed: boolean
}

/** Told of a call after it. What it throws is dropped: the caller waits for its rows. */
export type DatabaseCallListener = (call: DatabaseCall) => void

export interface WatchedDatabase {
  readonly database: Database
  /** @returns a function that ends it; it may be called twice */
  readonly onCall: (listener: DatabaseCallListener) => () => void
}

/**
 * The same database, which tells how long its calls take.
 *
 * No event, because a subscriber to all events that asks the database something would be told of its own question, and ask
 * again. Without listeners a call costs one comparison.
 */
export function watchCalls(database: Database): WatchedDatabase {
  const listeners = new Set<DatabaseCallListener>()

  async function timed<Row>(queryable: Queryable, statement: Statement): Promise<readonly Row[]> {
    const startedAt = performance.now()
    let failed = true
    try {
      const rows = await queryable.query<Row>(statement)
      failed = false
      return rows
    } finally {
      tell(listeners, { operation: operationOf(statement), durationMs: performance.now() - startedAt, failed })
    }
  }

  function watched(queryable: Queryable): Queryable {
    return {
      query: <Row>(statement: Statement) =>
        listeners.size === 0 ? queryable.query<Row>(statement) : timed<Row>(queryable, statement),
    }
  }

  function transact<T>(transaction: Database["transaction"], work: (tx: Queryable) => Promise<T>): Promise<T> {
    const watchedWork = (tx: Queryable) => work(watched(tx))
    return listeners.size === 0 ? transaction(watchedWork) : timedTransaction(listeners, transaction, watchedWork)
  }

  async function reserve(): Promise<Connection> {
    const connection = await database.reserve()
    return {
      ...watched(connection),
      transaction: (work) => transact((inner) => connection.transaction(inner), work),
      release: () => connection.release(),
    }
  }

  return {
    onCall(listener) {
      const entry: DatabaseCallListener = (call) => listener(call)
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
    database: {
      ...watched(database),
      kind: database.kind,
      displayUrl: database.displayUrl,
      joinUrl: database.joinUrl,
      queryWithin: <Row>(statement: Statement, timeoutMs: number) => {
        const bounded: Queryable = { query: (asked) => database.queryWithin(asked, timeoutMs) }
        return watched(bounded).query<Row>(statement)
      },
      poolUse: () => database.poolUse(),
      probeListener: (timeoutMs) => database.probeListener(timeoutMs),
      transaction: (work) => transact((inner) => database.transaction(inner), work),
      reserve,
      script: (sql) => database.script(sql),
      listen: (channel, onNotify, onReset) => database.listen(channel, onNotify, onReset),
      close: () => database.close(),
    },
  }
}

/** The same for both drivers: beginning is what comes before the work, and ending what comes after. */
async function timedTransaction<T>(
  listeners: ReadonlySet<DatabaseCallListener>,
  transaction: Database["transaction"],
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  let operation = "begin"
  let startedAt = performance.now()
  let isLost = false
  const noting = (tx: Queryable): Queryable => ({
    async query<Row>(statement: Statement) {
      try {
        return await tx.query<Row>(statement)
      } catch (error) {
        isLost ||= isConnectionError(error)
        throw error
      }
    },
  })
  const ended = (failed: boolean) => {
    tell(listeners, { operation, durationMs: performance.now() - startedAt, failed })
  }
  try {
    const result = await transaction(async (tx) => {
      ended(false)
      operation = "rollback"
      try {
        const done = await work(noting(tx))
        operation = "commit"
        return done
      } finally {
        startedAt = performance.now()
      }
    })
    ended(false)
    return result
  } catch (error) {
    // A rollback lets the error of the work pass, which may tell of another connection: only a statement tells of this one.
    ended(operation !== "rollback" || isLost)
    throw error
  }
}

function tell(listeners: ReadonlySet<DatabaseCallListener>, call: DatabaseCall): void {
  for (const listener of listeners) {
    try {
      listener(call)
    } catch {
      // It is for measuring.
    }
  }
}

/** A prepared statement of ours is named after its function; others call it, or read a view. */
function operationOf({ name, text }: Statement): string {
  const [, operation] = /\btasker\.([a-z_]+)/.exec(name ?? text) ?? []
  return operation ?? "other"
}
