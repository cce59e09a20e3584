import type { Queryable } from "../../core/database.ts"
import type { TaskState } from "../../core/state.ts"
import { run } from "../run.ts"
import type { OpenPeriod, WorkflowFilter } from "./period.ts"

export interface TaskCountRow {
  /** `null` unless counted by workflow, like the next two. */
  readonly namespace: string | null
  readonly workflow: string | null
  readonly version: string | null
  readonly state: TaskState
  readonly count: number
}

/** How many tasks there are in each state. Reads those that were created in the period, or all. */
export async function countTasks(
  db: Queryable,
  filter: WorkflowFilter & OpenPeriod,
  byWorkflow: boolean,
): Promise<readonly TaskCountRow[]> {
  return await run<TaskCountRow>(db, {
    text: "select namespace, workflow, version, state, count from tasker.count_tasks($1, $2, $3, $4, $5, $6)",
    values: [filter.namespace, filter.workflow, filter.version, filter.since, filter.until, byWorkflow],
  })
}
