import type { Queryable } from "../core/database.ts"
import { runOne } from "./run.ts"

/**
 * Bounds how many steps of a queue run at once, on all workers together. A queue that nobody used yet may be limited too.
 *
 * @param maxRunning - 1 or more, or `null` for no limit
 * @returns whether anything changed
 */
export async function limitQueue(db: Queryable, queue: string, maxRunning: number | null): Promise<boolean> {
  const { changed } = await runOne<{ changed: boolean }>(db, {
    name: "tasker.limit_queue",
    text: "select tasker.limit_queue($1, $2) as changed",
    values: [queue, maxRunning],
  })
  return changed
}
