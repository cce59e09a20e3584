import { expect } from "vitest"
import type { Events } from "./events.ts"

const ENDS = ["task.completed", "task.failed", "task.cancelled", "task.resolved_manually"] as const

/**
 * Makes a function that waits for a task's end, and until the Tasker has told it: an end can be read before the worker that
 * brought it about has the answer of its own call. Call it before the task ends.
 */
export function noteEnds({ events }: { readonly events: Pick<Events, "on" | "drained"> }) {
  const ended = new Set<string>()
  for (const name of ENDS) events.on(name, ({ payload }) => void ended.add(payload.taskId))
  events.on("task.retry_requested", ({ payload }) => void ended.delete(payload.taskId))
  return async <Run extends { readonly taskId: string }>(run: Promise<Run>): Promise<Run> => {
    const { taskId } = await run
    await expect.poll(() => ended.has(taskId), { timeout: 10_000 }).toBe(true)
    await events.drained()
    return await run
  }
}
