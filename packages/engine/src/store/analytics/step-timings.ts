import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"
import type { DurationSummary } from "./duration-summary.ts"
import type { Period, WorkflowFilter } from "./period.ts"

export interface StepTimingsRow {
  /** `null` unless measured by workflow. */
  readonly workflowId: number | null
  /** How many tasks and attempts were measured: all, or a sample. */
  readonly tasks: number
  readonly attempts: number
  readonly run: DurationSummary
  readonly queue: DurationSummary | null
  readonly retry: DurationSummary | null
}

/** How long attempts that ended in a period ran and waited; a row per workflow row when asked for. */
export async function stepTimings(
  db: Queryable,
  filter: WorkflowFilter & Period,
  options: { readonly byWorkflow: boolean; readonly maxRows: number },
): Promise<readonly StepTimingsRow[]> {
  const { namespace, workflow, version, since, until } = filter
  return await run<StepTimingsRow>(db, {
    text: `
      select workflow_id as "workflowId", tasks, attempts, run, queue, retry
      from tasker.step_timings($1, $2, $3, $4, $5, $6, $7)`,
    values: [since, until, namespace, workflow, version, options.maxRows, options.byWorkflow],
  })
}
