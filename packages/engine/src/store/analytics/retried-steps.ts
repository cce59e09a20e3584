import type { Queryable } from "../../core/database.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import { run } from "../run.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** A step of a workflow whose attempts failed and were followed by another. */
export interface RetriedStep {
  readonly workflow: WorkflowId
  readonly step: string
  /** How often an attempt of it was followed by another. */
  readonly retries: number
  /** In how many tasks. */
  readonly tasks: number
  /** How often it completed after such an attempt. */
  readonly retriedAndCompleted: number
  /** How often it failed for good after one. */
  readonly retriedAndFailed: number
}

/** The steps that were retried in a period, the most retried first. */
export async function retriedSteps(
  db: Queryable,
  filter: WorkflowFilter & Period,
  limit: number,
): Promise<readonly RetriedStep[]> {
  return await run<RetriedStep>(db, {
    text: `
      select
        json_build_object('namespace', namespace, 'name', workflow, 'version', version) as workflow,
        step,
        retries,
        tasks,
        retried_and_completed as "retriedAndCompleted",
        retried_and_failed as "retriedAndFailed"
      from tasker.retried_steps($1, $2, $3, $4, $5, $6)`,
    values: [filter.since, filter.until, filter.namespace, filter.workflow, filter.version, limit],
  })
}
