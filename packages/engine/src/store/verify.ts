import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** Something in the database that breaks one of the engine's invariants. */
export interface Violation {
  /**
   * - `progress`: an open task that cannot move, or a step in the hands of nobody
   * - `attempts`: results or attempts that do not add up
   * - `order`: a step that started before its parents were done
   * - `counters`: a counter that does not equal what counting says
   * - `queue`: a step and its row in the queue that do not belong together
   * - `transitions`: a history that is no legal path to the state it should end in
   */
  readonly invariant: "progress" | "attempts" | "order" | "counters" | "queue" | "transitions"
  readonly taskId: string
  /** `null`: the task itself. */
  readonly stepNo: number | null
  readonly detail: string
}

/** Looks for whatever breaks one of the six invariants. Reads everything, in one snapshot, and locks nothing. */
export async function verify(db: Queryable): Promise<readonly Violation[]> {
  return await run<Violation>(db, {
    text: `select invariant, task_id as "taskId", step_no as "stepNo", detail from tasker.verify()`,
  })
}
