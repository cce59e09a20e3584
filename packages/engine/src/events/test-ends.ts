import { expect } from "vitest"
import type { Events } from "./events.ts"

const ENDS = ["task.completed", "task.failed", "task.cancelled", "task.resolved_manually"] as const

/**
 * Makes a function that waits for a task's end, and until that is told: an end can be read before the worker that brought it
 * about has the answer of its own call. Make it before the task ends, and call it for each of its ends.
 */
export function noteEnds({ events }: { readonly events: Pick<Events, "on" | "drained"> }) {
  const toldCounts = new Map<string, number>()
  const awaitedCounts = new Map<string, number>()
  for (const name of ENDS) events.on(name, ({ payload }) => void count(toldCounts, payload.taskId))
  return async <Run extends { readonly taskId: string }>(run: Promise<Run>): Promise<Run> => {
    const { taskId } = await run
    const awaited = count(awaitedCounts, taskId)
    await expect.poll(() => toldCounts.get(taskId)).toBeGreaterThanOrEqual(awaited)
    await events.drained()
    return await run
  }
}

function count(counts: Map<string, number>, taskId: string): number {
  const next = (counts.get(taskId) ?? 0) + 1
  counts.set(taskId, next)
  return next
}
