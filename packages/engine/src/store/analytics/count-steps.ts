import type { Queryable } from "../../core/database.ts"
import type { StepState } from "../../core/state.ts"
import { run } from "../run.ts"
import type { OpenPeriod, WorkflowFilter } from "./period.ts"

export interface StepCountRow {
  /** `null` unless counted by step, like the next three. */
  readonly namespace: string | null
  readonly workflow: string | null
  readonly version: string | null
  readonly step: string | null
  readonly state: StepState
  readonly count: number
}

/** How many steps there are in each state. Reads those of tasks that were created in the period, or all. */
export async function countSteps(
  db: Queryable,
  filter: WorkflowFilter & OpenPeriod,
  byStep: boolean,
): Promise<readonly StepCountRow[]> {
  return await run<StepCountRow>(db, {
    text: "select namespace, workflow, version, step, state, count from tasker.count_steps($1, $2, $3, $4, $5, $6)",
    values: [filter.namespace, filter.workflow, filter.version, filter.since, filter.until, byStep],
  })
}
