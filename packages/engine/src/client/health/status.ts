import type { OptionRules } from "../../core/check-options.ts"
import { TASK_STATES } from "../../core/state.ts"
import { integerRule } from "../../core/option-rules.ts"
import { countRecentTasks } from "../../store/analytics/count-recent-tasks.ts"
import { countWorkers } from "../../store/analytics/count-workers.ts"
import { type DatabaseHealthRow, databaseHealth } from "../../store/analytics/database-health.ts"
import { type OldestReadyStepRow, oldestReadySteps } from "../../store/analytics/oldest-ready-steps.ts"
import { type PeriodCounts, recentCounts } from "../../store/analytics/period-counts.ts"
import { queueLoad } from "../../store/analytics/queue-load.ts"
import { standingFailures } from "../../store/analytics/standing-failures.ts"
import { listQueues, type Queue } from "../../store/list-queues.ts"
import { noCounts, share } from "../analytics/rates.ts"
import { objectRule } from "../argument-rules.ts"
import { assertOptions } from "../assert-argument.ts"
import type { ClientRooms } from "../client-rooms.ts"
import { tally } from "../count-states.ts"
import { amountRule, minCountRule, shareRule, withDefaults } from "../thresholds.ts"
import { bounded } from "../bounded.ts"
import { timeoutRule } from "./ready.ts"
import { reasonsOf } from "./status-reasons.ts"
import {
  type DatabaseStatus,
  DEFAULT_STATUS_THRESHOLDS,
  type QueueStatus,
  type RecentStatus,
  type StatusThresholds,
  type SystemStatus,
} from "./system-status.ts"

export interface StatusOptions {
  /** What counts as of late, in milliseconds; 1,000 to 86,400,000. It costs what happened in that time. Default: 300,000. */
  readonly recentMs?: number | undefined
  /** How far back failures that nobody dealt with are looked for, by the creation of their tasks. Default: 86,400,000. */
  readonly failuresMs?: number | undefined
  /** How long it may take, in milliseconds; 1 to 60,000. Default: 5,000. */
  readonly timeoutMs?: number | undefined
  /** From above what on something is a reason to call the system unhealthy. */
  readonly thresholds?: Partial<StatusThresholds> | undefined
}

const RULES: OptionRules = {
  recentMs: integerRule(1_000, 86_400_000),
  failuresMs: integerRule(1_000, 366 * 86_400_000),
  timeoutMs: timeoutRule,
  thresholds: objectRule,
}

const THRESHOLD_RULES: OptionRules = {
  unservedQueues: amountRule,
  oldestReadyMs: amountRule,
  overdueWorkers: amountRule,
  taskErrorRate: shareRule,
  attemptErrorRate: shareRule,
  minCount: minCountRule,
  poolWaiting: amountRule,
  connectionShare: shareRule,
  oldestTransactionMs: amountRule,
  horizonXids: amountRule,
  queueDeadRows: amountRule,
}

/** How the whole system is. */
export async function status({ database }: ClientRooms, options: StatusOptions = {}): Promise<SystemStatus> {
  assertOptions("status", options, RULES)
  assertOptions("thresholds", options.thresholds ?? {}, THRESHOLD_RULES)
  const { recentMs = 300_000, failuresMs = 86_400_000, timeoutMs = 5_000 } = options
  const thresholds = withDefaults(DEFAULT_STATUS_THRESHOLDS, options.thresholds)
  const at = new Date()
  const startedAt = performance.now()
  // Before the queries, which take a connection themselves.
  const pool = database.poolUse() ?? null
  const db = bounded(database, timeoutMs)
  // One after the other, so that asking takes one connection and no more.
  const load = await queueLoad(db)
  const failures = await standingFailures(db, failuresMs)
  const created = await countRecentTasks(db, recentMs)
  const facts = {
    recent: recentStatus((await recentCounts(db, recentMs)) ?? noCounts(), recentMs),
    queues: queueStatuses(await listQueues(db), await oldestReadySteps(db)),
    workers: await countWorkers(db, recentMs),
    pool,
    database: databaseStatus(await databaseHealth(db), database.kind === "pglite"),
  }
  const reasons = reasonsOf(facts, thresholds)
  return {
    healthy: reasons.length === 0,
    reasons,
    thresholds,
    tasks: { open: load.openTasks, failed: failures.tasks, recent: tally(TASK_STATES, created) },
    steps: {
      ready: load.readySteps,
      delayed: load.delayedSteps,
      held: load.heldSteps,
      running: load.runningSteps,
      failed: failures.steps,
    },
    retries: { inBackoff: load.backoffSteps, due: load.retryDueSteps, exhausted: failures.exhaustedSteps },
    ...facts,
    at,
    durationMs: performance.now() - startedAt,
  }
}

function recentStatus(counts: PeriodCounts, recentMs: number): RecentStatus {
  const { tasksCompleted, tasksFailed, tasksCancelled, attemptsCompleted } = counts
  const failed = counts.attemptsRetried + counts.attemptsFailed + counts.attemptsSkipped
  return {
    recentMs,
    tasks: {
      created: counts.tasksCreated,
      completed: tasksCompleted,
      failed: tasksFailed,
      cancelled: tasksCancelled,
      resolved: counts.tasksResolved,
      errorRate: share(tasksFailed, tasksCompleted + tasksFailed + tasksCancelled),
    },
    attempts: {
      started: counts.attemptsStarted,
      completed: attemptsCompleted,
      retried: counts.attemptsRetried,
      failed: counts.attemptsFailed,
      skipped: counts.attemptsSkipped,
      cancelled: counts.attemptsCancelled,
      errorRate: share(failed, attemptsCompleted + failed),
    },
  }
}

function queueStatuses(queues: readonly Queue[], oldest: readonly OldestReadyStepRow[]): readonly QueueStatus[] {
  return queues.map(({ oldestReadyAt: _oldestReadyAt, ...queue }) => {
    const found = oldest.find((step) => step.queue === queue.name)
    if (found === undefined) return { ...queue, oldestReady: null }
    const { queue: _queue, ...oldestReady } = found
    return { ...queue, oldestReady }
  })
}

/** PGlite counts its one session, has no limit that means anything, and vacuums when it is told to. */
function databaseStatus(row: DatabaseHealthRow, isPglite: boolean): DatabaseStatus {
  const { oldestPid, oldestBeganAt, oldestAgeMs, horizonXids, horizonHeldBy, connections } = row
  return {
    oldestTransaction:
      oldestPid === null || oldestBeganAt === null || oldestAgeMs === null
        ? null
        : {
            pid: oldestPid,
            application: row.oldestApplication,
            state: row.oldestState,
            beganAt: oldestBeganAt,
            ageMs: oldestAgeMs,
          },
    horizon: horizonXids === null || horizonHeldBy === null ? null : { ageXids: horizonXids, heldBy: horizonHeldBy },
    connections: isPglite || connections === null ? null : { used: connections, max: row.maxConnections },
    queueTable: {
      liveRows: row.queueLiveRows,
      deadRows: row.queueDeadRows,
      vacuumedAt: row.queueVacuumedAt,
      bytes: row.queueBytes,
    },
    bytes: row.databaseBytes,
  }
}
