import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"

/** The step of a queue that has been ready for longest. */
export interface OldestReadyStep {
  readonly taskId: string
  readonly step: string
  readonly readyAt: Date
  readonly ageMs: number
}

export interface OldestReadyStepRow extends OldestReadyStep {
  readonly queue: string
}

/** Of each queue in which a step is ready, the oldest. Reads one row per workflow, queue and priority. */
export async function oldestReadySteps(db: Queryable): Promise<readonly OldestReadyStepRow[]> {
  return await run<OldestReadyStepRow>(db, {
    text: `
      select queue, task_id as "taskId", step, ready_at as "readyAt", age_ms as "ageMs"
      from tasker.oldest_ready_steps()`,
  })
}
