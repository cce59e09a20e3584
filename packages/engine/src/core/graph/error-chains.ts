import { type AnalyzedStep, isOpen, isRetried, type StandingTask } from "./standing-task.ts"
import { type StepGraph, stepsBelow } from "./step-graph.ts"

/** What somebody may do about a failed step: names of the client's methods. */
export type OperatorAction = "retryStep" | "skipStep" | "resolveStep" | "resolveTask" | "resumeTask"

/** A step that failed, and what waits for it. */
export interface ErrorChain {
  readonly step: string
  /** `waiting_for_retry`: it is tried again by itself. */
  readonly state: "error" | "waiting_for_retry"
  readonly error: { readonly code: string | null; readonly message: string } | null
  readonly attempts: number
  readonly maxAttempts: number
  /** How many attempts are left before somebody has to act. None when the failure is for good, whatever was allowed. */
  readonly remainingAttempts: number
  /** When it is tried again; `null` when it is not. */
  readonly nextRetryAt: Date | null
  /** How many steps below it are not done: they cannot run before it is. */
  readonly blockedCount: number
  /** The first 100 of these, in order. */
  readonly blockedSteps: readonly string[]
  /** What the client would accept now. */
  readonly actions: readonly OperatorAction[]
}

/** The steps of a task that failed, those that block most first. */
export interface ErrorChains {
  /** Steps that failed for good. */
  readonly failedCount: number
  /** Steps that failed and are tried again by themselves. */
  readonly retryingCount: number
  /** Steps that wait for at least one of them, each counted once. */
  readonly blockedCount: number
  /** At most 100. */
  readonly chains: readonly ErrorChain[]
}

const MAX_LISTED = 100

/** Finds the steps that failed, and what they hold back. */
export function findErrorChains(task: StandingTask, graph: StepGraph, steps: readonly AnalyzedStep[]): ErrorChains {
  const failed = steps.filter(({ state, error }) => state === "error" || isRetried(state, error))
  const isBlocked = (index: number): boolean => isOpen(steps[index]?.state ?? "complete")
  const blocked = stepsBelow(
    graph,
    failed.map(({ index }) => index),
  ).filter(isBlocked)
  const worst = failed.toSorted((a, b) => b.below.counted - a.below.counted || a.index - b.index).slice(0, MAX_LISTED)
  return {
    failedCount: failed.filter(({ state }) => state === "error").length,
    retryingCount: failed.filter(({ state }) => state !== "error").length,
    blockedCount: blocked.length,
    chains: worst.map((step) => {
      const below = stepsBelow(graph, [step.index]).filter(isBlocked)
      return chainOf(
        task,
        step,
        below.map((index) => steps[index]?.name ?? ""),
      )
    }),
  }
}

function chainOf(task: StandingTask, step: AnalyzedStep, blocked: readonly string[]): ErrorChain {
  const { name, error, attempts, maxAttempts, dueMs } = step
  const state = step.state === "error" ? "error" : "waiting_for_retry"
  return {
    step: name,
    state,
    error,
    attempts,
    maxAttempts,
    remainingAttempts: state === "error" ? 0 : maxAttempts - attempts,
    nextRetryAt: dueMs === null ? null : new Date(task.createdAt.getTime() + dueMs),
    blockedCount: blocked.length,
    blockedSteps: blocked.slice(0, MAX_LISTED),
    actions: actionsFor(task, step),
  }
}

function actionsFor({ state, isPaused }: StandingTask, step: AnalyzedStep): readonly OperatorAction[] {
  if (state === "cancelled" || state === "resolved_manually") return []
  return [
    "retryStep",
    ...(step.skippable ? (["skipStep"] as const) : []),
    "resolveStep",
    ...(state === "error" ? (["resolveTask"] as const) : []),
    ...(isPaused ? (["resumeTask"] as const) : []),
  ]
}
