import type { Transition } from "@tasker/engine"

/** What a finished task's history comes to. */
export interface RunSummary {
  readonly attemptCount: number
  /** The steps that were tried again, as often as they were. */
  readonly retried: readonly string[]
  /** The most steps that ran at the same time. */
  readonly mostAtOnce: number
  readonly elapsedMs: number
}

export function summarizeRun(history: readonly Transition[]): RunSummary {
  const retried: string[] = []
  let attemptCount = 0
  let running = 0
  let mostAtOnce = 0
  for (const { step, from, to } of history) {
    if (step === null) continue
    if (from === "in_progress") running -= 1
    if (to === "waiting_for_retry") retried.push(step)
    if (to !== "in_progress") continue
    attemptCount += 1
    running += 1
    mostAtOnce = Math.max(mostAtOnce, running)
  }
  const times = history.map(({ at }) => at.getTime())
  return { attemptCount, retried, mostAtOnce, elapsedMs: Math.max(...times) - Math.min(...times) }
}
