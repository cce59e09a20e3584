import { isSatisfied, type StepState, type TaskState } from "../state.ts"
import type { DownstreamCounts } from "./step-graph.ts"
import type { StepChange, StepTimeline } from "./timeline.ts"

/** A step of a task as it stands. */
export interface StandingStep {
  readonly name: string
  /** Indices of the steps that it depends on. */
  readonly parents: readonly number[]
  readonly skippable: boolean
  readonly state: StepState
  readonly attempts: number
  readonly maxAttempts: number
  /** When it may run, in milliseconds since the task was created; `null` when it runs or is not in its queue. */
  readonly dueMs: number | null
  /** Why its last attempt failed. */
  readonly error: { readonly code: string | null; readonly message: string } | null
}

/** A task as it stands, and how it came to that. */
export interface StandingTask {
  readonly state: TaskState
  readonly isPaused: boolean
  readonly createdAt: Date
  /** When it ended; `null` while it has not. In milliseconds since it was created, like all that follows. */
  readonly finishedMs: number | null
  readonly nowMs: number
  readonly steps: readonly StandingStep[]
  readonly changes: readonly StepChange[]
}

/** What is known of each step of a task. */
export interface AnalyzedStep extends StandingStep {
  readonly index: number
  readonly timeline: StepTimeline
  readonly below: DownstreamCounts
}

/** Whether a step in this state is still to be done. */
export function isOpen(state: StepState): boolean {
  return !isSatisfied(state) && state !== "cancelled"
}

/** Whether a step failed and is tried again by itself. One without an error was handed back by a worker that stopped. */
export function isRetried(state: StepState, error: StandingStep["error"]): boolean {
  return state === "waiting_for_retry" && error !== null
}
