import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** A queue, and what is in it now. */
export interface Queue {
  readonly name: string
  /** How many of its steps may run at once, on all workers together; `null` for no limit. */
  readonly maxRunning: number | null
  readonly pausedAt: Date | null
  readonly pausedBy: string | null
  readonly pauseReason: string | null
  readonly readySteps: number
  /** Not due yet: delayed, or waiting for a retry. */
  readonly delayedSteps: number
  /** Held back, because their tasks are paused. */
  readonly heldSteps: number
  readonly runningSteps: number
  /** Since when its oldest ready step has been due; `null` when none is ready. */
  readonly oldestReadyAt: Date | null
  /** How many live workers serve it. */
  readonly liveWorkers: number
}

/** All queues, by name. Reads what is ready, delayed or running, and no history. */
export async function listQueues(db: Queryable): Promise<readonly Queue[]> {
  return await run<Queue>(db, {
    text: `
      select
        name,
        max_running as "maxRunning",
        paused_at as "pausedAt",
        paused_by as "pausedBy",
        pause_reason as "pauseReason",
        ready_steps as "readySteps",
        delayed_steps as "delayedSteps",
        held_steps as "heldSteps",
        running_steps as "runningSteps",
        oldest_ready as "oldestReadyAt",
        live_workers as "liveWorkers"
      from tasker.list_queues()`,
  })
}
