import type { OptionRule } from "../../core/option-rules.ts"
import type { OptionRules } from "../../core/check-options.ts"
import { attemptAnalysis, type BlockingDependency, type StepTimings } from "../../store/analytics/attempt-analysis.ts"
import type { DurationSummary } from "../../store/analytics/duration-summary.ts"
import type { Period, WorkflowFilter } from "../../store/analytics/period.ts"
import { periodCounts } from "../../store/analytics/period-counts.ts"
import { type RetriedStep, retriedSteps } from "../../store/analytics/retried-steps.ts"
import { type SlowStep, slowestSteps } from "../../store/analytics/slowest-steps.ts"
import { type SlowTask, slowestTasks } from "../../store/analytics/slowest-tasks.ts"
import { type ErrorPattern, type ErrorPatternRow, stepErrors } from "../../store/analytics/step-errors.ts"
import { taskTimings } from "../../store/analytics/task-timings.ts"
import { objectRule, pageLimitRule } from "../argument-rules.ts"
import { assertOptions } from "../assert-argument.ts"
import { bounded } from "../bounded.ts"
import type { ClientRooms } from "../client-rooms.ts"
import { DEFAULT_MEASURING_MS, MEASURED_PERIOD_RULES, type MeasuredPeriodFilter, periodOf } from "../period.ts"
import { minCountRule, shareRule, withDefaults } from "../thresholds.ts"
import { DEFAULT_FINDING_THRESHOLDS, type Finding, findingsOf, type FindingThresholds } from "./findings.ts"
import { noCounts, share } from "./rates.ts"
import { DEFAULT_SAMPLE_SIZE, type Measured, sampleRule, type SampleOptions } from "./sample.ts"

export interface BottleneckFilter extends MeasuredPeriodFilter, SampleOptions {
  /** How many of each list at most, from 1 to 500. Default: 10. */
  readonly limit?: number | undefined
  /** The bounds of the buckets, in milliseconds, rising; 1 to 100. Default: 10 from 10 ms to an hour. */
  readonly boundsMs?: readonly number[] | undefined
  /** From when on a fact is a finding. */
  readonly thresholds?: Partial<FindingThresholds> | undefined
}

/** How many durations fall between which bounds. */
export interface Histogram {
  readonly boundsMs: readonly number[]
  /** One more than there are bounds: below the first, from it and below the second, …, from the last on. */
  readonly counts: readonly number[]
}

/** Attempts that failed alike, and what part of all that failed they are, from 0 to 1. */
export interface SharedErrorPattern extends ErrorPattern {
  readonly share: number
}

/** What took most of the time in a period, and what went wrong most. Everything in it was measured. */
export interface Bottlenecks {
  readonly since: Date
  readonly until: Date
  /** Tasks that ended in the period, complete or in error, and took longest. */
  readonly slowestTasks: readonly SlowTask[]
  /** Steps that completed in the period, and whose last attempt took longest. */
  readonly slowestSteps: readonly SlowStep[]
  /** The steps of workflows that took most time, all their attempts together. */
  readonly steps: readonly StepTimings[]
  /** The dependencies that alone kept others waiting for the longest time together. */
  readonly dependencies: readonly BlockingDependency[]
  /** The steps of workflows that were retried most. */
  readonly retriedSteps: readonly RetriedStep[]
  readonly retries: {
    /** Attempts that failed and were followed by another; not what an operator retried, which starts over. */
    readonly count: number
    /** Steps that completed after one. */
    readonly completed: number
    /** Steps that failed for good after one. */
    readonly failed: number
    /** Of the steps that ended after a retry, what part completed; `null` when there was none. */
    readonly successRate: number | null
  }
  readonly errors: {
    /** Attempts that failed. */
    readonly total: number
    /** The most frequent. */
    readonly patterns: readonly SharedErrorPattern[]
  }
  /** Where the time of attempts went: running, in the queue, and between attempts. */
  readonly time: {
    readonly run: DurationSummary | null
    readonly queue: DurationSummary | null
    readonly retry: DurationSummary | null
  }
  readonly distribution: {
    /** How long tasks took, from the start of their first step; `null` when none ended. */
    readonly taskDuration: DurationSummary | null
    readonly tasks: Histogram
    readonly runs: Histogram
    readonly queues: Histogram
  }
  /** What `steps`, `dependencies`, `time`, and the distribution of runs and queues were measured on. */
  readonly measured: Measured
  /** The facts that crossed a threshold. */
  readonly findings: readonly Finding[]
  readonly thresholds: FindingThresholds
}

/** 10 ms to an hour, each about five times the one before. */
const DEFAULT_BOUNDS_MS = [10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000, 600_000, 3_600_000]

const boundsRule: OptionRule = {
  rule: "a list of 1 to 100 numbers above 0, rising",
  accepts: (value) =>
    Array.isArray(value)
    && value.length >= 1
    && value.length <= 100
    && value.every((bound, index) => Number.isFinite(bound) && bound > (index === 0 ? 0 : value[index - 1])),
}

const RULES: OptionRules = {
  ...MEASURED_PERIOD_RULES,
  limit: pageLimitRule,
  sampleSize: sampleRule,
  boundsMs: boundsRule,
  thresholds: objectRule,
}

const THRESHOLD_RULES: OptionRules = {
  queueShare: shareRule,
  retryShare: shareRule,
  failureRate: shareRule,
  errorShare: shareRule,
  timeShare: shareRule,
  minCount: minCountRule,
}

/** What took most of the time in a period, and what went wrong most. */
export async function bottlenecks({ database }: ClientRooms, filter: BottleneckFilter = {}): Promise<Bottlenecks> {
  assertOptions("bottlenecks", filter, RULES)
  assertOptions("thresholds", filter.thresholds ?? {}, THRESHOLD_RULES)
  const thresholds = withDefaults(DEFAULT_FINDING_THRESHOLDS, filter.thresholds)
  const { limit = 10, sampleSize: maxRows = DEFAULT_SAMPLE_SIZE, boundsMs = DEFAULT_BOUNDS_MS } = filter
  // One after the other: all of them together may take so long.
  const db = bounded(database, filter.timeoutMs ?? DEFAULT_MEASURING_MS)
  const period: WorkflowFilter & Period = { ...filter, ...periodOf(filter) }
  const [counts = noCounts()] = await periodCounts(db, period, false)
  const [tasks] = await taskTimings(db, period, { byWorkflow: false, boundsMs })
  const analysis = await attemptAnalysis(db, period, { maxRows, limit, boundsMs })
  const errors = errorsOf(await stepErrors(db, period, limit))
  return {
    since: period.since,
    until: period.until,
    slowestTasks: await slowestTasks(db, period, limit),
    slowestSteps: await slowestSteps(db, period, limit),
    steps: analysis.steps,
    dependencies: analysis.dependencies,
    retriedSteps: await retriedSteps(db, period, limit),
    retries: {
      count: counts.attemptsRetried,
      completed: counts.retriedAndCompleted,
      failed: counts.retriedAndFailed,
      successRate: share(counts.retriedAndCompleted, counts.retriedAndCompleted + counts.retriedAndFailed),
    },
    errors,
    time: { run: analysis.run, queue: analysis.queue, retry: analysis.retry },
    distribution: {
      taskDuration: tasks?.duration ?? null,
      tasks: { boundsMs, counts: tasks?.buckets ?? Array.from({ length: boundsMs.length + 1 }, () => 0) },
      runs: { boundsMs, counts: analysis.runBuckets },
      queues: { boundsMs, counts: analysis.queueBuckets },
    },
    measured: { tasks: analysis.tasks, attempts: analysis.attempts },
    findings: findingsOf(counts, analysis, errors, thresholds),
    thresholds,
  }
}

function errorsOf(rows: readonly ErrorPatternRow[]): Bottlenecks["errors"] {
  const total = rows[0]?.total ?? 0
  return {
    total,
    patterns: rows.map(({ total: _total, ...pattern }) => ({ ...pattern, share: pattern.count / total })),
  }
}
