import { messageOf } from "../../core/describe-value.ts"
import { integerRule } from "../../core/option-rules.ts"
import type { WorkerVitals } from "../../core/worker-vitals.ts"
import type { SchemaDifference } from "../../store/migrate.ts"
import { ping } from "../../store/ping.ts"
import { assertOptions } from "../assert-argument.ts"
import type { ClientRooms } from "../client-rooms.ts"
import { type Bounded, bounded } from "../bounded.ts"

export interface ReadyOptions {
  /** How long it may take, whatever hangs, in milliseconds; 1 to 60,000. Default: 2,000. */
  readonly timeoutMs?: number | undefined
}

/** What one look at a part of the system found. */
export interface HealthCheck {
  /**
   * `off`: there is nothing to check, because notifications are off, or no worker runs in this process.
   * `unknown`: the database did not answer, so nobody can tell.
   */
  readonly status: "ok" | "failed" | "off" | "unknown"
  /** What is wrong, or worth to know. */
  readonly message?: string
}

export interface DatabaseCheck extends HealthCheck {
  /** How long it took to answer, or until it was given up, the wait for a connection included. */
  readonly responseMs: number
}

export interface WorkersCheck extends HealthCheck {
  /** The workers of this process that were not stopped. */
  readonly workers: readonly WorkerVitals[]
}

/** Whether this process can do its work. */
export interface Readiness {
  /** Whether every check is `ok` or `off`. */
  readonly ready: boolean
  readonly checks: {
    /** Whether the database answers. */
    readonly database: DatabaseCheck
    /** Whether the schema is what this version needs. One that a newer version brought further will do. */
    readonly migrations: HealthCheck
    /** Whether a notification that this process sends arrives here again. */
    readonly listener: HealthCheck
    /** Whether each worker of this process holds its lease and goes on claiming. */
    readonly workers: WorkersCheck
  }
  /** The names of the checks that are `failed` or `unknown`. */
  readonly failedChecks: readonly ("database" | "migrations" | "listener" | "workers")[]
  /** When it was asked, by the clock of this process. */
  readonly at: Date
  readonly durationMs: number
}

export const timeoutRule = integerRule(1, 60_000)

/** What a check of the schema needs; it keeps the files that it has read. */
export type CheckSchema = (db: Bounded) => Promise<SchemaDifference>

/** Whether this process can do its work, found out within a time limit. Rejects for wrong options alone. */
export async function ready(
  rooms: ClientRooms,
  checkSchema: CheckSchema,
  options: ReadyOptions = {},
): Promise<Readiness> {
  assertOptions("ready", options, { timeoutMs: timeoutRule })
  const at = new Date()
  const startedAt = performance.now()
  const db = bounded(rooms.database, options.timeoutMs ?? 2_000)
  const [[database, migrations], listener] = await Promise.all([
    checkDatabase(db, checkSchema),
    checkListener(rooms, db),
  ])
  // Last, so that it is what holds when the answer is given.
  const workers = checkWorkers(rooms.workers())
  const checks = { database, migrations, listener, workers }
  const failedChecks = CHECKS.filter((name) => checks[name].status === "failed" || checks[name].status === "unknown")
  return { ready: failedChecks.length === 0, checks, failedChecks, at, durationMs: performance.now() - startedAt }
}

const CHECKS = ["database", "migrations", "listener", "workers"] as const

async function checkDatabase(db: Bounded, checkSchema: CheckSchema): Promise<readonly [DatabaseCheck, HealthCheck]> {
  const startedAt = performance.now()
  try {
    await ping(db)
  } catch (error) {
    const responseMs = performance.now() - startedAt
    return [{ status: "failed", responseMs, message: messageOf(error) }, UNKNOWN]
  }
  return [{ status: "ok", responseMs: performance.now() - startedAt }, await checkMigrations(db, checkSchema)]
}

const UNKNOWN: HealthCheck = { status: "unknown", message: "the database does not answer" }

async function checkMigrations(db: Bounded, checkSchema: CheckSchema): Promise<HealthCheck> {
  try {
    const { missing, isNewer } = await checkSchema(db)
    if (missing.length > 0) {
      const more = missing.length > 5 ? ` and ${missing.length - 5} more` : ""
      return failed(`the database lacks what this version needs: ${missing.slice(0, 5).join(", ")}${more}`)
    }
    return isNewer ? { status: "ok", message: "a newer version has brought the database further" } : { status: "ok" }
  } catch (error) {
    return failed(messageOf(error))
  }
}

async function checkListener({ database, notifications }: ClientRooms, db: Bounded): Promise<HealthCheck> {
  if (!notifications) return { status: "off", message: "notifications are off" }
  try {
    await database.probeListener(db.remainingMs())
    return { status: "ok" }
  } catch (error) {
    return failed(messageOf(error))
  }
}

function checkWorkers(all: readonly WorkerVitals[]): WorkersCheck {
  const workers = all.filter(({ state }) => state !== "stopped")
  if (workers.length === 0) return { status: "off", message: "no worker runs in this process", workers }
  const problems = workers.flatMap((worker) => workerProblem(worker) ?? [])
  if (problems.length === 0) return { status: "ok", workers }
  return { ...failed(problems.join("; ")), workers }
}

function workerProblem(worker: WorkerVitals): string | undefined {
  const who = worker.workerId === 0 ? `worker "${worker.name}"` : `worker ${worker.workerId} "${worker.name}"`
  if (worker.state !== "running") return `${who} is ${worker.state}`
  if (worker.heartbeatAgeMs > worker.leaseMs) {
    return `${who} renewed its lease ${Math.round(worker.heartbeatAgeMs)} ms ago, which holds for ${worker.leaseMs} ms`
  }
  if (worker.runningLaneCount < worker.laneCount) {
    return `${who} has ${worker.runningLaneCount} of ${worker.laneCount} lanes running`
  }
  return undefined
}

function failed(message: string): HealthCheck {
  return { status: "failed", message }
}
