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
      select task_id as "taskId", state, step_names as "stepNames", results, failures
      from tasker.read_outcomes($1::uuid[])`,
    values: [taskIds],
  })
}
