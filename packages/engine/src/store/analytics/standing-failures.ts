import type { Queryable } from "../../core/database.ts"
import { runOne } from "../run.ts"

/** What failed for good and nobody has dealt with. */
export interface StandingFailures {
  readonly tasks: number
  readonly steps: number
  readonly exhaustedSteps: number
}

/** Of the tasks that were created of late, those in error, and their steps in error. */
export async function standingFailures(db: Queryable, createdWithinMs: number): Promise<StandingFailures> {
  return await runOne<StandingFailures>(db, {
    text: `
      select tasks, steps, exhausted_steps as "exhaustedSteps"
      from tasker.standing_failures(now() - $1 * interval '1 millisecond')`,
    values: [createdWithinMs],
  })
}
