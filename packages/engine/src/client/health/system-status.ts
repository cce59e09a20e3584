import type { PoolUse } from "../../core/database.ts"
import type { WorkerCounts } from "../../store/analytics/count-workers.ts"
import type { OldestReadyStep } from "../../store/analytics/oldest-ready-steps.ts"
import type { Queue } from "../../store/list-queues.ts"
import type { TaskCounts } from "../count-states.ts"

/** From above what on something is a reason to call the system unhealthy. `null` turns one off. */
export interface StatusThresholds {
  /** Queues in which steps are ready and that no live worker serves, paused ones apart. Default: 0. */
  readonly unservedQueues: number | null
  /** How long a step may be ready before a worker takes it, in a queue that is not paused. Default: 300,000. */
  readonly oldestReadyMs: number | null
  /** Workers whose lease ran out and whose steps nobody has taken back. Default: 0. */
  readonly overdueWorkers: number | null
  /** What part of the tasks that ended of late failed, from 0 to 1. Default: 0.5. */
  readonly taskErrorRate: number | null
  /** What part of the attempts that ended of late failed. Default: 0.5. */
  readonly attemptErrorRate: number | null
  /** How many of these there must be before their rate says anything. Default: 10. */
  readonly minCount: number
  /** How many calls of this process wait for a connection. Default: 10. */
  readonly poolWaiting: number | null
  /** What part of the connections that the server allows are used. Default: 0.9. */
  readonly connectionShare: number | null
  /** How old the oldest open transaction is. Default: 300,000. */
  readonly oldestTransactionMs: number | null
  /** How many transactions ago the oldest snapshot was taken. Default: 10,000,000. */
  readonly horizonXids: number | null
  /** Dead rows of the table `step_queue`. Default: 100,000. */
  readonly queueDeadRows: number | null
}

/** Why the system is called unhealthy. */
export interface StatusReason {
  /** The threshold that was crossed. */
  readonly threshold: Exclude<keyof StatusThresholds, "minCount">
  readonly value: number
  readonly limit: number
  /** The fact in a sentence, with its numbers. */
  readonly message: string
}

/** A queue, and the step in it that has been ready for longest. */
export interface QueueStatus extends Omit<Queue, "oldestReadyAt"> {
  /** `null` when none is ready. */
  readonly oldestReady: OldestReadyStep | null
}

/** What happened of late, in this and all other processes. */
export interface RecentStatus {
  /** How far back that goes, in milliseconds. */
  readonly recentMs: number
  /** A task that failed twice counts twice. */
  readonly tasks: {
    readonly created: number
    readonly completed: number
    readonly failed: number
    readonly cancelled: number
    readonly resolved: number
    /** Of the ends, completed, failed and cancelled, what part failed, from 0 to 1; `null` when there was none. */
    readonly errorRate: number | null
  }
  readonly attempts: {
    readonly started: number
    readonly completed: number
    /** Failed, with another attempt to follow. */
    readonly retried: number
    /** Failed for good. */
    readonly failed: number
    /** Failed for good, where the step may be skipped. */
    readonly skipped: number
    readonly cancelled: number
    /** Of the attempts that ended by themselves, what part failed in any way; `null` when none ended. */
    readonly errorRate: number | null
  }
}

/** An open transaction. While it is open, dead rows that it might see are not removed. */
export interface OldTransaction {
  readonly pid: number
  /** What its connection calls itself. */
  readonly application: string | null
  /** As `pg_stat_activity` has it: `active`, `idle in transaction`, … */
  readonly state: string | null
  readonly beganAt: Date
  readonly ageMs: number
}

/** How PostgreSQL is. `null` is what it does not say, as PGlite, which has one session and no statistics of some kinds. */
export interface DatabaseStatus {
  /** The oldest in this database, other than the one that asks; `null` when none is open. */
  readonly oldestTransaction: OldTransaction | null
  /** The oldest snapshot that something holds, in any database of the server; `null` when nothing does. */
  readonly horizon: {
    /** How many transactions ago it was taken. */
    readonly ageXids: number
    readonly heldBy: "session" | "prepared_transaction" | "replication_slot"
  } | null
  /** Of the whole server; what is reserved for superusers is not part of `max`. */
  readonly connections: { readonly used: number; readonly max: number } | null
  /** The table `step_queue`, which every step goes through. */
  readonly queueTable: {
    readonly liveRows: number | null
    readonly deadRows: number | null
    /** By hand or by autovacuum; `null` when never. */
    readonly vacuumedAt: Date | null
    /** With its indexes. */
    readonly bytes: number
  }
  readonly bytes: number
}

/** How the whole system is. Each number says what it counts: what is exact and now, and what belongs to a period. */
export interface SystemStatus {
  /** Whether no threshold is crossed. */
  readonly healthy: boolean
  readonly reasons: readonly StatusReason[]
  readonly thresholds: StatusThresholds
  readonly tasks: {
    /** Have steps that are ready, delayed or running: neither ended nor in error. Exact, now. */
    readonly open: number
    /** In error, and nobody has dealt with them, of those created within `failuresMs`. */
    readonly failed: number
    /** How the tasks that were created within `recentMs` stand now. */
    readonly recent: TaskCounts
  }
  /** All exact and now, but for `failed`. Steps that wait for their parents stand nowhere: `countSteps` counts them. */
  readonly steps: {
    /** Due, and nobody runs them. */
    readonly ready: number
    /** Not due yet, and never tried. */
    readonly delayed: number
    /** Their tasks are paused. */
    readonly held: number
    readonly running: number
    /** In error, of the tasks that `tasks.failed` counts. */
    readonly failed: number
  }
  readonly retries: {
    /** Their next attempt is due later. Exact, now. */
    readonly inBackoff: number
    /** Failed before, and due again; also in `steps.ready`. Exact, now. */
    readonly due: number
    /** Of `steps.failed`, those that have had every attempt; the others failed for good before. */
    readonly exhausted: number
  }
  readonly recent: RecentStatus
  /** By name. */
  readonly queues: readonly QueueStatus[]
  /** In all processes. `lost` and `stopped` are those of `recentMs`. */
  readonly workers: WorkerCounts
  /** The connections of this process, the listener's apart; `null` on PGlite, which has one. */
  readonly pool: PoolUse | null
  readonly database: DatabaseStatus
  /** By the clock of this process. */
  readonly at: Date
  readonly durationMs: number
}

export const DEFAULT_STATUS_THRESHOLDS: StatusThresholds = {
  unservedQueues: 0,
  oldestReadyMs: 300_000,
  overdueWorkers: 0,
  taskErrorRate: 0.5,
  attemptErrorRate: 0.5,
  minCount: 10,
  poolWaiting: 10,
  connectionShare: 0.9,
  oldestTransactionMs: 300_000,
  horizonXids: 10_000_000,
  queueDeadRows: 100_000,
}
