import { createSchemaCheck } from "../../store/migrate.ts"
import type { ClientRooms } from "../client-rooms.ts"
import { type Readiness, ready, type ReadyOptions } from "./ready.ts"
import { status, type StatusOptions } from "./status.ts"
import type { SystemStatus } from "./system-status.ts"

/** That a process is alive. */
export interface Liveness {
  readonly alive: true
  readonly pid: number
  /** How long the process runs, in milliseconds. */
  readonly uptimeMs: number
  readonly at: Date
}

/** How this process is, and the system that it is part of. */
export interface Health {
  /** Answers as long as this process can answer at all. Asks nobody: a database that is away is no reason to end a process. */
  live(): Liveness
  /**
   * Whether this process can do its work: its database answers and has the right schema, notifications arrive, and its
   * workers hold their leases. Never rejects for a system that is sick, and takes no longer than `timeoutMs`.
   *
   * @throws TaskerError `TASKER_OPTION_INVALID` when an option is unknown or out of its range
   */
  ready(options?: ReadyOptions): Promise<Readiness>
  /**
   * How the whole system is: what waits, what failed, who works, and how the database is. Reads the queue of steps, what
   * happened of late, and statistics; never the history.
   *
   * @throws TaskerError `TASKER_OPTION_INVALID` when an option is unknown or out of its range,
   *   `TASKER_DATABASE_UNAVAILABLE` when the database does not answer within `timeoutMs`
   */
  status(options?: StatusOptions): Promise<SystemStatus>
}

export function createHealth(rooms: ClientRooms): Health {
  const checkSchema = createSchemaCheck()
  return {
    live: () => ({ alive: true, pid: process.pid, uptimeMs: process.uptime() * 1_000, at: new Date() }),
    ready: (options) => ready(rooms, checkSchema, options),
    status: (options) => status(rooms, options),
  }
}
