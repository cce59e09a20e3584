import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import type { Database } from "../core/database.ts"
import { isConnectionError } from "../core/database.ts"
import { isTaskerError } from "../core/error.ts"
import { silentLogger } from "../core/logger.ts"
import type { ConnectOptions } from "./connect-options.ts"
import { withoutPassword } from "./database-url.ts"
import { connectPglite } from "./pglite.ts"
import { connectPostgres } from "./postgres.ts"
import { serverDirectory } from "./server-directory.ts"
import { joinServer } from "./server-membership.ts"

const ATTEMPTS = 3

/**
 * Connects to the PostgreSQL server of a directory, which is started when it does not run. Where no server can run at all,
 * PGlite takes its place, and a log line says so.
 *
 * @throws TASKER_EMBEDDED_START_FAILED when the server does not start.
 */
export async function connectEmbedded(dir: string, options: ConnectOptions): Promise<Database> {
  try {
    return await connectToServer(resolve(dir), options)
  } catch (error) {
    // Data that a server has written is not to be hidden behind an empty database.
    const hasData = existsSync(serverDirectory(resolve(dir)).stateFile)
    if (hasData || !isTaskerError(error, "TASKER_EMBEDDED_UNAVAILABLE")) throw error
    const pgliteDir = join(resolve(dir), "pglite")
    const logger = options.logger ?? silentLogger
    logger.warn(
      { reason: error.message, dir: pgliteDir },
      "no PostgreSQL server can run here; PGlite takes its place, for one process",
    )
    return await connectPglite({ dir: pgliteDir, options })
  }
}

async function connectToServer(dir: string, options: ConnectOptions): Promise<Database> {
  for (let attempt = 1; ; attempt++) {
    const membership = await joinServer(options.logger === undefined ? { dir } : { dir, logger: options.logger })
    const url = membership.server.url()
    try {
      return await connectPostgres({
        kind: "embedded",
        url,
        displayUrl: withoutPassword(url),
        options,
        revive: membership.revive,
        afterClose: membership.leave,
      })
    } catch (error) {
      await membership.leave()
      // Whoever used it last may have stopped it between our finding it and our connecting.
      if (attempt === ATTEMPTS || !isConnectionError(error)) throw error
      await delay(100)
    }
  }
}
