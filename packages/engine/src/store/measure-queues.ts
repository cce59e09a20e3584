import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** How long a queue is now. */
export interface QueueMeasure {
  readonly name: string
  /** How many of its steps may run at once, on all workers together; `null` for no limit. */
  readonly maxRunning: number | null
  readonly isPaused: boolean
  /** Where there are more than were to be counted, that number. So is the next one. */
  readonly readySteps: number
  /** Not due yet: delayed, or waiting for a retry. */
  readonly delayedSteps: number
  /** For how long its oldest ready step has been due, in seconds, by the database's clock; `null` when none is ready. */
  readonly oldestReadySeconds: number | null
  /** How many live workers serve it. */
  readonly liveWorkers: number
}

/** Measures all queues, by name, at a cost that does not grow with them. Counts at most `countLimit` steps of each kind. */
export async function measureQueues(db: Queryable, countLimit: number): Promise<readonly QueueMeasure[]> {
  return await run<QueueMeasure>(db, {
    text: `
      select
        name,
        max_running as "maxRunning",
        is_paused as "isPaused",
        ready_steps as "readySteps",
        delayed_steps as "delayedSteps",
        oldest_ready as "oldestReadySeconds",
        live_workers as "liveWorkers"
      from tasker.measure_queues($1)`,
    values: [countLimit],
  })
}
