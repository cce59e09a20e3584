import type { Queryable } from "../../core/database.ts"
import type { StepRecord } from "../../core/exporter.ts"
import { run } from "../run.ts"
import type { StoredError } from "../task.ts"
import { type ExportedRows, type ExportPage, type PageSize, type ReadRow, toPage } from "./exported-rows.ts"

/** Where a page of steps ended. */
export interface StepKey {
  readonly taskId: string
  readonly stepNo: number
}

export interface ExportedSteps extends ExportedRows {
  /** The last step of the page before. */
  readonly after: StepKey
  readonly end: string
  readonly withResult: boolean
}

/** A step; its result is null unless it was asked for. */
export interface ExportedStep
  extends StepKey, Omit<StepRecord, "kind" | "durationMs" | "errorName" | "errorCode" | "errorMessage"> {
  readonly error: StoredError | null
}

/** A page of the steps of the tasks that were created in a period, the oldest task first. */
export async function exportSteps(
  db: Queryable,
  wanted: ExportedSteps,
  size: PageSize,
): Promise<ExportPage<ExportedStep, StepKey>> {
  const { namespace, workflow, version, states, since, until, after, end, withResult } = wanted
  const read = await run<ExportedStep & ReadRow>(db, {
    name: "tasker.export_steps",
    text: `
      select
        task_id as "taskId",
        step_no as "stepNo",
        matches,
        namespace,
        workflow,
        version,
        step,
        state,
        attempts,
        max_attempts as "maxAttempts",
        started_at as "startedAt",
        finished_at as "finishedAt",
        error,
        result
      from tasker.export_steps($1, $2, $3, $4::tasker.state[], $5, $6, $7, $8::smallint, $9, $10, $11, $12)`,
    values: [
      namespace,
      workflow,
      version,
      states,
      since,
      until,
      after.taskId,
      after.stepNo,
      end,
      size.rows,
      size.bytes,
      withResult,
    ],
  })
  return toPage(read, ({ taskId, stepNo }) => ({ taskId, stepNo }))
}
