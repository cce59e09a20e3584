import type { WorkerProcess } from "./worker-process.ts"

/** How many handlers of these workers ran to their end. */
export function countRuns(workers: readonly WorkerProcess[]): number {
  return workers.reduce((count, { messages }) => count + messages.filter(({ event }) => event === "ran").length, 0)
}

/**
 * Steps whose handler ran to its end more than once: the outcome of the first was lost. A transactional step is none of
 * these: it may run again when its transaction died with its connection.
 */
export function repeatedRuns(workers: readonly WorkerProcess[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const message of workers.flatMap(({ messages }) => messages)) {
    if (message.event !== "ran" || message.step === "write") continue
    const key = `${message.taskId} ${message.step}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts].flatMap(([key, count]) => (count > 1 ? `${key} ran ${count} times` : []))
}

/** What the engine published as complete, once for each time that it did. */
export function completions(workers: readonly WorkerProcess[]): readonly string[] {
  return workers
    .flatMap(({ messages }) => messages)
    .flatMap((message) => (message.event === "completed" ? [`${message.taskId} ${message.step ?? "the task"}`] : []))
}
