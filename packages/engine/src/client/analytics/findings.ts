import type { WorkflowId } from "../../core/workflow.ts"
import type { AttemptAnalysis, StepTimings } from "../../store/analytics/attempt-analysis.ts"
import type { PeriodCounts } from "../../store/analytics/period-counts.ts"
import type { ErrorPattern } from "../../store/analytics/step-errors.ts"
import { share } from "./rates.ts"

/** From when on something is a finding. `null` turns one off. */
export interface FindingThresholds {
  /** What part of its time, queue and running together, a step waits in its queue. Default: 0.5. */
  readonly queueShare: number | null
  /** What part of a step's attempts follow a failed one. Default: 0.1. */
  readonly retryShare: number | null
  /** What part of the tasks that ended failed. Default: 0.05. */
  readonly failureRate: number | null
  /** What part of all errors one pattern is. Default: 0.5. */
  readonly errorShare: number | null
  /** What part of the time of all steps one step takes. Default: 0.5. */
  readonly timeShare: number | null
  /** How many attempts, tasks or errors there must be before a share of them says anything. Default: 10. */
  readonly minCount: number
}

/** A fact that crossed a threshold. It says what is so, not what to think of it. */
export interface Finding {
  readonly kind: "queue_share" | "retry_share" | "failure_rate" | "error_share" | "time_share"
  /** `null` when it is about more than one. */
  readonly workflow: WorkflowId | null
  readonly step: string | null
  readonly value: number
  readonly threshold: number
  /** What the value is a share of: how many attempts, tasks or errors. */
  readonly count: number
  /** The fact in a sentence, with its numbers. */
  readonly message: string
}

export const DEFAULT_FINDING_THRESHOLDS: FindingThresholds = {
  queueShare: 0.5,
  retryShare: 0.1,
  failureRate: 0.05,
  errorShare: 0.5,
  timeShare: 0.5,
  minCount: 10,
}

/** The facts of a period that crossed a threshold. */
export function findingsOf(
  counts: PeriodCounts,
  analysis: AttemptAnalysis,
  errors: { readonly total: number; readonly patterns: readonly ErrorPattern[] },
  thresholds: FindingThresholds,
): readonly Finding[] {
  const ended = counts.tasksCompleted + counts.tasksFailed + counts.tasksCancelled
  const times = [analysis.run, analysis.queue, analysis.retry].map((summary) => summary?.totalMs ?? 0)
  const allMs = times.reduce((sum, time) => sum + time, 0)
  const candidates: readonly Candidate[] = [
    {
      kind: "failure_rate",
      value: share(counts.tasksFailed, ended),
      threshold: thresholds.failureRate,
      count: ended,
      tell: (percent) => `${counts.tasksFailed} of ${ended} tasks that ended failed (${percent})`,
    },
    ...errors.patterns.map(({ code, message, count }): Candidate => ({
      kind: "error_share",
      value: share(count, errors.total),
      threshold: thresholds.errorShare,
      count: errors.total,
      tell: (percent) => `${count} of ${errors.total} errors are ${code ?? "without code"}: ${message} (${percent})`,
    })),
    ...analysis.steps.flatMap((step) => stepCandidates(step, allMs, thresholds)),
  ]
  return candidates.flatMap((candidate) => judge(candidate, thresholds.minCount))
}

interface Candidate {
  readonly kind: Finding["kind"]
  readonly of?: StepTimings
  readonly value: number | null
  readonly threshold: number | null
  readonly count: number
  readonly tell: (percent: string) => string
}

function stepCandidates(step: StepTimings, allMs: number, thresholds: FindingThresholds): readonly Candidate[] {
  const { attempts, run, queue, retry, totalMs } = step
  const name = `step "${step.step}" of ${step.workflow.namespace}.${step.workflow.name}@${step.workflow.version}`
  const queueMs = queue?.totalMs ?? 0
  const retries = retry?.count ?? 0
  const about = { of: step, count: attempts }
  return [
    {
      ...about,
      kind: "queue_share",
      value: share(queueMs, queueMs + run.totalMs),
      threshold: thresholds.queueShare,
      tell: (percent) =>
        `${name} waited ${ms(queueMs)} in its queue and ran ${ms(run.totalMs)}, ${attempts} attempts together (${percent})`,
    },
    {
      ...about,
      kind: "retry_share",
      value: share(retries, attempts),
      threshold: thresholds.retryShare,
      tell: (percent) => `${retries} of ${attempts} attempts of ${name} followed a failed one (${percent})`,
    },
    {
      ...about,
      kind: "time_share",
      value: share(totalMs, allMs),
      threshold: thresholds.timeShare,
      tell: (percent) => `${name} took ${ms(totalMs)} of the ${ms(allMs)} of all steps, waits included (${percent})`,
    },
  ]
}

function judge({ kind, of, value, threshold, count, tell }: Candidate, minCount: number): readonly Finding[] {
  if (value === null || threshold === null || value < threshold || count < minCount) return []
  const message = tell(`${percentOf(value)} %; from ${percentOf(threshold)} % on`)
  return [{ kind, workflow: of?.workflow ?? null, step: of?.step ?? null, value, threshold, count, message }]
}

function percentOf(value: number): string {
  return String(Math.round(value * 1_000) / 10)
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
