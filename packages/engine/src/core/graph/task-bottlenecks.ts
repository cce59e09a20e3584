import type { CriticalPath } from "./critical-path.ts"
import { type AnalyzedStep, isOpen, isRetried, type StandingTask } from "./standing-task.ts"
import type { StepTimes } from "./timeline.ts"

/** A step that keeps its task from being faster. */
export interface Bottleneck extends StepTimes {
  readonly step: string
  /**
   * `failed`, `retrying`, `running`, `queued`: it holds others back, or the end of the task, now, because that is how it is.
   * `slow`: it is done, and took at least a tenth of the critical path.
   */
  readonly kind: "failed" | "retrying" | "running" | "queued" | "slow"
  /** From when it was ready until it ended, or until now. */
  readonly totalMs: number
  /** What part of the critical path that is, from 0 to 1; `null` when it is not on it. */
  readonly share: number | null
  /** How many steps depend on it, directly or not. */
  readonly downstreamCount: number
  /** How many of these are not done. */
  readonly openDownstreamCount: number
}

/** From what share of the critical path on a step that is done counts as slow. */
const SLOW_SHARE = 0.1

/** The steps that hold others back now, those that hold most first; then those that took most of the critical path. */
export function findBottlenecks(
  task: StandingTask,
  steps: readonly AnalyzedStep[],
  path: CriticalPath,
): readonly Bottleneck[] {
  const shares = new Map(path.steps.map(({ step, share }) => [step, share]))
  const isLive = task.state !== "cancelled" && task.state !== "resolved_manually"
  const found = steps.flatMap((step) => {
    const share = shares.get(step.name) ?? null
    const kind =
      (isLive ? holdingKind(step) : undefined) ?? (share !== null && share >= SLOW_SHARE ? "slow" : undefined)
    return kind === undefined ? [] : [bottleneckOf(step, kind, share)]
  })
  const rank = ({ kind, openDownstreamCount }: Bottleneck): number => (kind === "slow" ? -1 : openDownstreamCount)
  return found.toSorted((a, b) => rank(b) - rank(a) || b.totalMs - a.totalMs)
}

function holdingKind({ state, error, timeline }: AnalyzedStep): Bottleneck["kind"] | undefined {
  if (state === "error") return "failed"
  if (isRetried(state, error)) return "retrying"
  if (state === "in_progress") return "running"
  return isOpen(state) && timeline.readyMs !== null ? "queued" : undefined
}

function bottleneckOf(step: AnalyzedStep, kind: Bottleneck["kind"], share: number | null): Bottleneck {
  const { queueMs, runMs, retryMs, operatorMs, readyMs, endMs } = step.timeline
  return {
    step: step.name,
    kind,
    totalMs: readyMs === null || endMs === null ? 0 : Math.max(0, endMs - readyMs),
    share,
    queueMs,
    runMs,
    retryMs,
    operatorMs,
    downstreamCount: step.below.total,
    openDownstreamCount: step.below.counted,
  }
}
