import type { Queryable } from "../../core/database.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import { run } from "../run.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** A step that completed, and how long it took. */
export interface SlowStep {
  readonly taskId: string
  readonly step: string
  readonly workflow: WorkflowId
  readonly attempts: number
  /** When the attempt that completed it started. */
  readonly startedAt: Date
  readonly finishedAt: Date
  /** How long the attempt that completed it took. */
  readonly durationMs: number
}

/** Of the steps that completed in a period, those that took longest. */
export async function slowestSteps(
  db: Queryable,
  filter: WorkflowFilter & Period,
  limit: number,
): Promise<readonly SlowStep[]> {
  return await run<SlowStep>(db, {
    text: `
      select
        task_id as "taskId",
        step,
        json_build_object('namespace', namespace, 'name', workflow, 'version', version) as workflow,
        attempts,
        started_at as "startedAt",
        finished_at as "finishedAt",
        duration_ms as "durationMs"
      from tasker.slowest_steps($1, $2, $3, $4, $5, $6)`,
    values: [filter.since, filter.until, filter.namespace, filter.workflow, filter.version, limit],
  })
}
