import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** What happened to tasks in one part of a period. A task that failed twice counts twice. */
export interface TaskRateRow {
  readonly since: Date
  readonly until: Date
  readonly created: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly resolved: number
}

/** How many tasks were created, and how many ended, in each part of a period. */
export async function taskRates(
  db: Queryable,
  filter: WorkflowFilter & Period,
  partMs: number,
): Promise<readonly TaskRateRow[]> {
  return await run<TaskRateRow>(db, {
    text: `
      select since, until, created, completed, failed, cancelled, resolved
      from tasker.task_rates($1, $2, $3 * interval '1 millisecond', $4, $5, $6)`,
    values: [filter.since, filter.until, partMs, filter.namespace, filter.workflow, filter.version],
  })
}
