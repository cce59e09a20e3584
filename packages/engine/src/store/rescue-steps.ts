import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

export interface Rescue {
  /** The worker whose lease had run out. */
  readonly workerId: number
  /** How many steps were taken back from it. */
  readonly steps: number
}

/** Takes back the steps of workers whose lease has run out. */
export async function rescueSteps(db: Queryable): Promise<readonly Rescue[]> {
  const rows = await run<{ worker_id: number; steps: number }>(db, {
    name: "tasker.rescue_steps",
    text: "select worker_id, steps from tasker.rescue_steps()",
  })
  return rows.map((row) => ({ workerId: row.worker_id, steps: row.steps }))
}
