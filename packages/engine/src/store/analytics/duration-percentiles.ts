import type { Queryable } from "../../core/database.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import { run } from "../run.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** How long the tasks of a workflow version took, or one of its steps. */
export interface DurationPercentiles {
  readonly workflow: WorkflowId
  /** `null`: the tasks themselves, from the start of their first step to their end. */
  readonly step: string | null
  /** How many were measured. */
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** Of what ended in a period: a row per workflow version, and one for each of its steps. */
export async function durationPercentiles(
  db: Queryable,
  filter: WorkflowFilter & Period,
): Promise<readonly DurationPercentiles[]> {
  return await run<DurationPercentiles>(db, {
    text: `
      select
        json_build_object('namespace', namespace, 'name', workflow, 'version', version) as workflow,
        step,
        count,
        p50_ms as "p50Ms",
        p95_ms as "p95Ms",
        p99_ms as "p99Ms"
      from tasker.duration_percentiles($1, $2, $3, $4, $5)`,
    values: [filter.since, filter.until, filter.namespace, filter.workflow, filter.version],
  })
}
