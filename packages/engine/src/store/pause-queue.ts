import type { Queryable } from "../core/database.ts"
import type { OperatorNote } from "./operator.ts"
import { runOne } from "./run.ts"

/**
 * Stops handing out the steps of a queue, or hands them out again. A queue that nobody used yet may be paused too.
 *
 * @returns whether anything changed
 */
export async function pauseQueue(db: Queryable, queue: string, paused: boolean, note: OperatorNote): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.pause_queue",
    text: "select tasker.pause_queue($1, $2, $3, $4) as changed",
    values: [queue, paused, note.by, note.reason],
  })
  return changed
}
