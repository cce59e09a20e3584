import type { Queryable } from "../core/database.ts"
import type { JsonValue } from "../core/schema.ts"
import type { TaskState } from "../core/state.ts"
import { run } from "./run.ts"
import type { StoredError } from "./task.ts"

/** How a task stands; what it came to, once it has ended. */
export interface TaskOutcome {
  readonly taskId: string
  readonly state: TaskState
  /** The names of all its steps; `null` before it ended, as is all below. */
  readonly stepNames: readonly string[] | null
  /** By step name, of the steps that have one. */
  readonly results: Readonly<Record<string, JsonValue>> | null
  /** The steps in error, the first to fail first. */
  readonly failures: readonly StepFailure[] | null
}

export interface StepFailure {
  readonly step: string
  readonly attempts: number
  readonly error: StoredError | null
}

/** How those tasks that exist stand, in no particular order. Reads no steps of tasks that have not ended. */
export async function readOutcomes(db: Queryable, taskIds: readonly string[]): Promise<readonly TaskOutcome[]> {
  return await run<TaskOutcome>(db, {
    name: "tasker.read_outcomes",
    text: `
      select
        task.task_id as "taskId",
        task.state,
        outcome.names as "stepNames",
        outcome.results,
        outcome.failures
      from tasker.tasks as task
      left join lateral (
        select
          coalesce(array_agg(definition.name), '{}') as names,
          coalesce(
            jsonb_object_agg(definition.name, step.result) filter (where step.state in ('complete', 'resolved_manually')),
            '{}'
          ) as results,
          coalesce(
            jsonb_agg(
              jsonb_build_object('step', definition.name, 'attempts', step.attempts, 'error', step.error)
              order by step.finished_at, step.step_no
            ) filter (where step.state = 'error'),
            '[]'
          ) as failures
        from tasker.steps as step
        join tasker.workflow_steps as definition
          on definition.workflow_id = task.workflow_id
          and definition.step_no = step.step_no
        where step.task_id = task.task_id
        -- As a condition of the join it would be looked at when all steps were read.
        having task.state not in ('pending', 'in_progress')
      ) as outcome on true
      where task.task_id = any ($1::uuid[])`,
    values: [taskIds],
  })
}
