import type { Queryable } from "../../core/database.ts"
import { runOne } from "../run.ts"

/** What is in the queue of steps now, over all queues; exact. */
export interface QueueLoad {
  readonly openTasks: number
  readonly readySteps: number
  readonly retryDueSteps: number
  readonly delayedSteps: number
  readonly backoffSteps: number
  readonly heldSteps: number
  readonly runningSteps: number
}

/** Reads what is ready, delayed or running, and no history. */
export async function queueLoad(db: Queryable): Promise<QueueLoad> {
  return await runOne<QueueLoad>(db, {
    text: `
      select
        open_tasks as "openTasks",
        ready_steps as "readySteps",
        retry_due_steps as "retryDueSteps",
        delayed_steps as "delayedSteps",
        backoff_steps as "backoffSteps",
        held_steps as "heldSteps",
        running_steps as "runningSteps"
      from tasker.queue_load()`,
  })
}
