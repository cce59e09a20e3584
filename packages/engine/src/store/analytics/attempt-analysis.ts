import type { Queryable } from "../../core/database.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import { runOne } from "../run.ts"
import type { DurationSummary } from "./duration-summary.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** A step of a workflow, and where its time went. Times are of attempts. */
export interface StepTimings {
  readonly workflow: WorkflowId
  readonly step: string
  readonly attempts: number
  /** Waiting and running, all attempts together. */
  readonly totalMs: number
  readonly run: DurationSummary
  /** From when it was ready until it was claimed; `null` when every attempt followed a failed one. */
  readonly queue: DurationSummary | null
  /** From a failed attempt to the start of the next; `null` when there was none. */
  readonly retry: DurationSummary | null
}

/** A dependency that was the last that a step waited for. */
export interface BlockingDependency {
  readonly workflow: WorkflowId
  /** The step that waited. */
  readonly step: string
  /** The step that it waited for. */
  readonly dependsOn: string
  /** For how long for this one alone: it was ready itself, and all others were done. */
  readonly held: DurationSummary
}

export interface AttemptAnalysis {
  /** How many tasks and attempts were measured: all, or a sample. */
  readonly tasks: number
  readonly attempts: number
  readonly run: DurationSummary | null
  readonly queue: DurationSummary | null
  readonly retry: DurationSummary | null
  readonly runBuckets: readonly number[]
  readonly queueBuckets: readonly number[]
  readonly steps: readonly StepTimings[]
  readonly dependencies: readonly BlockingDependency[]
}

/** Of the attempts that ended in a period, which steps took most time and which dependencies held back most. */
export async function attemptAnalysis(
  db: Queryable,
  filter: WorkflowFilter & Period,
  options: { readonly maxRows: number; readonly limit: number; readonly boundsMs: readonly number[] },
): Promise<AttemptAnalysis> {
  const { namespace, workflow, version, since, until } = filter
  const { analysis } = await runOne<{ readonly analysis: AttemptAnalysis }>(db, {
    text: "select tasker.attempt_analysis($1, $2, $3, $4, $5, $6, $7, $8::double precision[]) as analysis",
    values: [since, until, namespace, workflow, version, options.maxRows, options.limit, options.boundsMs],
  })
  return analysis
}
