import type { AnalyzedStep } from "./standing-task.ts"
import { longestPath, type StepGraph } from "./step-graph.ts"
import type { StepTimes } from "./timeline.ts"

/** A step on the critical path. */
export interface CriticalStep extends StepTimes {
  readonly step: string
  /** From when it was ready until it ended. */
  readonly totalMs: number
  /** What part of the whole path that is, from 0 to 1. */
  readonly share: number
}

/**
 * The chain of steps that took longest, waits included: each began to wait when the one before it ended. To make the task
 * faster, something on it has to become faster.
 */
export interface CriticalPath extends StepTimes {
  readonly steps: readonly CriticalStep[]
  /** Of a task that ran to its end without anybody's help, all of its time. */
  readonly totalMs: number
  /** The longest chain by running alone: what the task would have taken had nothing waited in a queue or for a retry. */
  readonly runOnlyMs: number
}

/** Finds the chain of steps that took longest. */
export function findCriticalPath(graph: StepGraph, steps: readonly AnalyzedStep[]): CriticalPath {
  const spans = steps.map(({ timeline: { readyMs, endMs } }) =>
    readyMs === null || endMs === null ? undefined : Math.max(0, endMs - readyMs),
  )
  const runs = steps.map(({ timeline }) => timeline.runMs)
  const path = longestPath(graph, spans)
  const critical = path.steps.map((index): CriticalStep => {
    const totalMs = spans[index] ?? 0
    // Indices of the path are of this list.
    const { name, timeline } = steps[index] as AnalyzedStep
    const { queueMs, runMs, retryMs, operatorMs } = timeline
    return { step: name, queueMs, runMs, retryMs, operatorMs, totalMs, share: share(totalMs, path.weight) }
  })
  const sum = (key: keyof StepTimes): number => critical.reduce((total, step) => total + step[key], 0)
  return {
    steps: critical,
    totalMs: path.weight,
    queueMs: sum("queueMs"),
    runMs: sum("runMs"),
    retryMs: sum("retryMs"),
    operatorMs: sum("operatorMs"),
    runOnlyMs: longestPath(graph, runs).weight,
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
