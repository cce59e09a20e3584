import type { StepState } from "./state.ts"

/** How an attempt ended, to the worker: `retry` asks for another attempt while there is one, `error` is for good. */
export type OutcomeKind = "complete" | "retry" | "error"

/**
 * The state that a step gets by the outcome of an attempt. `tasker.take_outcomes`
 * decides; this says the same to whoever saw the outcome accepted, and a test
 * compares the two.
 */
export function stateAfter(
  kind: OutcomeKind,
  step: { readonly attempt: number; readonly maxAttempts: number; readonly skippable: boolean },
): StepState {
  if (kind === "complete") return "complete"
  if (kind === "retry" && step.attempt < step.maxAttempts) return "waiting_for_retry"
  return step.skippable ? "skipped" : "error"
}
