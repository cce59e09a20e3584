import type { Database } from "../core/database.ts"
import type { ConnectOptions } from "./connect-options.ts"
import { parseDatabaseUrl } from "./database-url.ts"
import { connectPglite } from "./pglite.ts"
import { connectPostgres } from "./postgres.ts"

/** The database that is used when none is named: a real PostgreSQL server of one's own, in `./.tasker`. */
export const DEFAULT_DATABASE_URL = "embedded:./.tasker"

/**
 * Connects to where tasks live.
 *
 * - `postgres://…`: any PostgreSQL from 14 on.
 * - `embedded:DIR`: a PostgreSQL server that is started here, or found again when it runs already; several processes share it.
 *   Where no server binary exists for the platform, PGlite takes its place, and the log says so.
 * - `pglite:DIR`, `pglite:memory`: PGlite in this process; one process only.
 *
 * @throws TASKER_DATABASE_URL_INVALID, TASKER_DATABASE_UNAVAILABLE, TASKER_DATABASE_REFUSED, TASKER_DATABASE_UNSUPPORTED,
 * TASKER_DATABASE_IN_USE, TASKER_EMBEDDED_START_FAILED, TASKER_EMBEDDED_UNAVAILABLE. None of them ever holds a password.
 */
export async function connect(url: string = DEFAULT_DATABASE_URL, options: ConnectOptions = {}): Promise<Database> {
  const target = parseDatabaseUrl(url)
  switch (target.kind) {
    case "postgres":
      return await connectPostgres({ kind: "postgres", url: target.url, displayUrl: target.displayUrl, options })
    case "pglite":
      return await connectPglite({ dir: target.dir, options })
    case "embedded": {
      const { connectEmbedded } = await import("./embedded.ts")
      return await connectEmbedded(target.dir, options)
    }
  }
}
