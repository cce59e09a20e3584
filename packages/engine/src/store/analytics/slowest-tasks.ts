import type { Queryable } from "../../core/database.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import { run } from "../run.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** A task that ended, and how long it took. */
export interface SlowTask {
  readonly taskId: string
  readonly workflow: WorkflowId
  readonly state: "complete" | "error"
  readonly createdAt: Date
  readonly startedAt: Date
  readonly finishedAt: Date
  /** From its creation to the start of its first step. */
  readonly waitMs: number
  /** From the start of its first step to its end. */
  readonly durationMs: number
  readonly stepCount: number
  readonly errorCount: number
  /** Of all its steps together. */
  readonly attemptCount: number
  readonly initiator: string | null
  readonly sourceSystem: string | null
}

/** Of the tasks that ended in a period, those that took longest. */
export async function slowestTasks(
  db: Queryable,
  filter: WorkflowFilter & Period,
  limit: number,
): Promise<readonly SlowTask[]> {
  return await run<SlowTask>(db, {
    text: `
      select
        task_id as "taskId",
        json_build_object('namespace', namespace, 'name', workflow, 'version', version) as workflow,
        state,
        created_at as "createdAt",
        started_at as "startedAt",
        finished_at as "finishedAt",
        wait_ms as "waitMs",
        duration_ms as "durationMs",
        step_count as "stepCount",
        error_count as "errorCount",
        attempt_count as "attemptCount",
        initiator,
        source_system as "sourceSystem"
      from tasker.slowest_tasks($1, $2, $3, $4, $5, $6)`,
    values: [filter.since, filter.until, filter.namespace, filter.workflow, filter.version, limit],
  })
}
