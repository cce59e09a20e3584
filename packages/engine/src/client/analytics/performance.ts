import type { Queryable } from "../../core/database.ts"
import { flagRule, integerRule, type OptionRule } from "../../core/option-rules.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import type { DurationSummary } from "../../store/analytics/duration-summary.ts"
import type { Period, WorkflowFilter } from "../../store/analytics/period.ts"
import { type PeriodCountRow, type PeriodCounts, periodCounts } from "../../store/analytics/period-counts.ts"
import { type StepTimingsRow, stepTimings } from "../../store/analytics/step-timings.ts"
import { type TaskTimingsRow, taskTimings } from "../../store/analytics/task-timings.ts"
import { workflowNames } from "../../store/analytics/workflow-names.ts"
import { dateRule, nameFilterRule, versionTextRule } from "../argument-rules.ts"
import { assertOptions } from "../assert-argument.ts"
import { bounded } from "../bounded.ts"
import type { ClientRooms } from "../client-rooms.ts"
import { DEFAULT_MEASURING_MS, measuringTimeoutRule, type MeasuringLimit, periodOf } from "../period.ts"
import { noCounts, share } from "./rates.ts"
import { DEFAULT_SAMPLE_SIZE, type Measured, sampleRule, type SampleOptions } from "./sample.ts"

/** A period that ends now, or one between two moments. */
export type PerformancePeriod =
  | { readonly lastMs: number }
  | {
      /** From then on. */
      readonly since: Date
      /** Before. Default: now. */
      readonly until?: Date | undefined
    }

export interface PerformanceFilter extends WorkflowFilter, SampleOptions, MeasuringLimit {
  /** Which periods, 1 to 50. Default: the last hour, the last 4 and the last 24 hours. */
  readonly periods?: readonly PerformancePeriod[] | undefined
  /** Whether to measure each workflow version by itself. Default: false. */
  readonly byWorkflow?: boolean | undefined
}

/** What tasks did in a period. A task that failed, was retried and completed counts as both. */
export interface TaskPerformance {
  readonly created: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly resolved: number
  readonly createdPerSecond: number
  readonly completedPerSecond: number
  /** Of the ends, completed, failed and cancelled, what part completed, from 0 to 1; `null` when there was none. */
  readonly completionRate: number | null
  /** The same of those that failed. */
  readonly errorRate: number | null
  /** From the start of the first step to the end, of tasks that ended complete or in error; `null` when none did. */
  readonly duration: DurationSummary | null
  /** From the creation to the start of the first step, of the same tasks. */
  readonly wait: DurationSummary | null
}

/** What steps did in a period, by their attempts. */
export interface StepPerformance {
  /** Attempts that started. One that a stopping worker handed back is counted here, and is none of the following. */
  readonly started: number
  readonly completed: number
  /** Failed, with another attempt to follow. */
  readonly retried: number
  /** Failed for good. */
  readonly failed: number
  /** Failed for good, where the step may be skipped. */
  readonly skipped: number
  readonly cancelled: number
  readonly completedPerSecond: number
  /** Of the attempts that ended by themselves, what part failed in any way, from 0 to 1; `null` when none ended. */
  readonly errorRate: number | null
  /**
   * Of the steps that ended after a retry, what part completed; `null` when there was none. A retry follows an attempt that
   * failed, or whose worker was lost; not one that was handed back. What an operator retries starts over.
   */
  readonly retrySuccessRate: number | null
  /** How long attempts ran; `null` when none ended. */
  readonly run: DurationSummary | null
  /**
   * From when a step was ready, all its parents being done, until it was claimed. Pauses, limits of queues and delayed
   * starts count.
   */
  readonly queue: DurationSummary | null
  /** From a failed attempt to the start of the next. */
  readonly retry: DurationSummary | null
  /** What `run`, `queue` and `retry` were measured on. */
  readonly measured: Measured
}

/** How a period went. */
export interface PeriodPerformance {
  readonly since: Date
  readonly until: Date
  /** `null`: all workflows that the filter lets through. */
  readonly workflow: WorkflowId | null
  readonly tasks: TaskPerformance
  readonly steps: StepPerformance
}

const HOUR_MS = 3_600_000

const DEFAULT_PERIODS: readonly PerformancePeriod[] = [1, 4, 24].map((hours) => ({ lastMs: hours * HOUR_MS }))

const lastRule = integerRule(1, 10 * 366 * 24 * HOUR_MS)

const periodsRule: OptionRule = {
  rule: "a list of 1 to 50 periods, each { lastMs } or { since, until }",
  accepts: (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= 50 && value.every((period) => isPeriod(period)),
}

function isPeriod(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false
  if ("lastMs" in value) return lastRule.accepts(value.lastMs) && Object.keys(value).length === 1
  const { since, until, ...rest } = value as Record<string, unknown> // Whatever it is, it has keys.
  return dateRule.accepts(since) && (until === undefined || dateRule.accepts(until)) && Object.keys(rest).length === 0
}

const RULES = {
  namespace: nameFilterRule,
  workflow: nameFilterRule,
  version: versionTextRule,
  periods: periodsRule,
  byWorkflow: flagRule,
  sampleSize: sampleRule,
  timeoutMs: measuringTimeoutRule,
}

/** How much was done in some periods, how well, and how long it took. */
export async function performance(
  { database }: ClientRooms,
  filter: PerformanceFilter = {},
): Promise<readonly PeriodPerformance[]> {
  assertOptions("performance", filter, RULES)
  const { periods = DEFAULT_PERIODS, byWorkflow = false, sampleSize: maxRows = DEFAULT_SAMPLE_SIZE } = filter
  // One moment for all of them.
  const until = new Date()
  const db = bounded(database, filter.timeoutMs ?? DEFAULT_MEASURING_MS)
  const found: PeriodPerformance[] = []
  // One after the other: they would only take each other's processor, and the pool's connections.
  for (const period of periods.map((each) => boundsOf(each, until))) {
    found.push(...(await measure(db, { ...filter, ...period }, { byWorkflow, maxRows })))
  }
  return found
}

function boundsOf(period: PerformancePeriod, now: Date): Period {
  return "lastMs" in period
    ? { since: new Date(now.getTime() - period.lastMs), until: now }
    : periodOf({ since: period.since, until: period.until ?? now })
}

async function measure(
  db: Queryable,
  filter: WorkflowFilter & Period,
  options: { readonly byWorkflow: boolean; readonly maxRows: number },
): Promise<readonly PeriodPerformance[]> {
  const counts = await periodCounts(db, filter, options.byWorkflow)
  const tasks = await taskTimings(db, filter, { ...options, boundsMs: [] })
  const steps = await stepTimings(db, filter, options)
  const { since, until } = filter
  const of = (workflowId: number | null, workflow: WorkflowId | null): PeriodPerformance => {
    const seconds = (until.getTime() - since.getTime()) / 1_000
    const own = <Row extends { readonly workflowId: number | null }>(rows: readonly Row[]): Row | undefined =>
      rows.find((row) => row.workflowId === workflowId)
    const counted = own<PeriodCountRow>(counts) ?? noCounts()
    return {
      since,
      until,
      workflow,
      tasks: taskPerformance(counted, seconds, own(tasks)),
      steps: stepPerformance(counted, seconds, own(steps)),
    }
  }
  if (!options.byWorkflow) return [of(null, null)]
  const ids = counts.flatMap(({ workflowId }) => workflowId ?? [])
  return (await workflowNames(db, ids)).map(({ workflowId, workflow }) => of(workflowId, workflow))
}

function taskPerformance(counts: PeriodCounts, seconds: number, timings: TaskTimingsRow | undefined): TaskPerformance {
  const { tasksCompleted, tasksFailed, tasksCancelled } = counts
  const ended = tasksCompleted + tasksFailed + tasksCancelled
  return {
    created: counts.tasksCreated,
    completed: tasksCompleted,
    failed: tasksFailed,
    cancelled: tasksCancelled,
    resolved: counts.tasksResolved,
    createdPerSecond: counts.tasksCreated / seconds,
    completedPerSecond: tasksCompleted / seconds,
    completionRate: share(tasksCompleted, ended),
    errorRate: share(tasksFailed, ended),
    duration: timings?.duration ?? null,
    wait: timings?.wait ?? null,
  }
}

function stepPerformance(counts: PeriodCounts, seconds: number, timings: StepTimingsRow | undefined): StepPerformance {
  const { attemptsCompleted, attemptsRetried, attemptsFailed, attemptsSkipped } = counts
  const failed = attemptsRetried + attemptsFailed + attemptsSkipped
  return {
    started: counts.attemptsStarted,
    completed: attemptsCompleted,
    retried: attemptsRetried,
    failed: attemptsFailed,
    skipped: attemptsSkipped,
    cancelled: counts.attemptsCancelled,
    completedPerSecond: attemptsCompleted / seconds,
    errorRate: share(failed, attemptsCompleted + failed),
    retrySuccessRate: share(counts.retriedAndCompleted, counts.retriedAndCompleted + counts.retriedAndFailed),
    run: timings?.run ?? null,
    queue: timings?.queue ?? null,
    retry: timings?.retry ?? null,
    measured: { tasks: timings?.tasks ?? 0, attempts: timings?.attempts ?? 0 },
  }
}
