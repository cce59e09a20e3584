import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"
import type { DurationSummary } from "./duration-summary.ts"
import type { Period, WorkflowFilter } from "./period.ts"

export interface TaskTimingsRow {
  /** `null` unless measured by workflow. */
  readonly workflowId: number | null
  readonly duration: DurationSummary
  readonly wait: DurationSummary
  /** How many durations are below the first bound, from it and below the second, …, from the last on. */
  readonly buckets: readonly number[]
}

/** How long tasks that ended in a period took and waited; a row per workflow row when asked for. */
export async function taskTimings(
  db: Queryable,
  filter: WorkflowFilter & Period,
  options: { readonly byWorkflow: boolean; readonly boundsMs: readonly number[] },
): Promise<readonly TaskTimingsRow[]> {
  const { namespace, workflow, version, since, until } = filter
  return await run<TaskTimingsRow>(db, {
    text: `
      select workflow_id as "workflowId", duration, wait, buckets
      from tasker.task_timings($1, $2, $3, $4, $5, $6, $7::double precision[])`,
    values: [since, until, namespace, workflow, version, options.byWorkflow, options.boundsMs],
  })
}
