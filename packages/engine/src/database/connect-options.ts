import type { Logger } from "../core/logger.ts"

/** How to connect. Every option has a default that suits development. */
export interface ConnectOptions {
  /**
   * How many connections the pool holds at most, the listener's apart. A worker takes one for each lane. PGlite has one
   * whatever is said.
   *
   * Default: 10.
   */
  readonly poolSize?: number
  /**
   * How long to wait for a free connection, or for the server to accept a new one, in milliseconds.
   *
   * Default: 10,000.
   */
  readonly connectTimeoutMs?: number
  /**
   * Whether statements that have a name are prepared. PgBouncer in transaction mode breaks them: `false` there.
   *
   * Default: true.
   */
  readonly preparedStatements?: boolean
  /**
   * Whether to use LISTEN. Without it everything works, a poll later. `false` saves a connection behind PgBouncer.
   *
   * Default: true.
   */
  readonly notifications?: boolean
  /**
   * How long `close()` waits for statements and transactions that run, in milliseconds; then it cuts their connections.
   *
   * Default: 5,000.
   */
  readonly closeGraceMs?: number
  /** What `pg_stat_activity` shows for these connections. Default: `tasker`. */
  readonly applicationName?: string
  /** Default: logs nothing. */
  readonly logger?: Logger
}
