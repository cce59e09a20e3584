import type { Transition } from "@tasker/engine"

/** What happened to one step of a task, from its history. */
export interface StepRun {
  readonly name: string
  readonly attempts: readonly AttemptRun[]
  /** When a person settled it, in milliseconds since the task was created; null when nobody did. */
  readonly resolvedMs: number | null
}

export interface AttemptRun {
  /** From 1. */
  readonly attempt: number
  /** Milliseconds since the task was created. */
  readonly startMs: number
  readonly endMs: number
  /** What went wrong; null when nothing did. */
  readonly failure: string | null
}

/**
 * Reads the runs of all steps out of a task's history; steps that never ran are left out.
 *
 * @param order - the names of the steps, in the order that they are wanted in
 */
export function stepRuns(history: readonly Transition[], order: readonly string[]): readonly StepRun[] {
  const createdAt = history[0]?.at.getTime() ?? 0
  const runs = new Map<string, { attempts: AttemptRun[]; resolvedMs: number | null }>()
  const started = new Map<string, number>()
  for (const { at, step, to, attempt, error } of history) {
    if (step === null) continue
    const ms = at.getTime() - createdAt
    const run = runs.get(step) ?? { attempts: [], resolvedMs: null }
    runs.set(step, run)
    const startMs = started.get(step)
    if (to === "in_progress") {
      started.set(step, ms)
    } else if (to === "resolved_manually") {
      run.resolvedMs = ms
    } else if (startMs !== undefined) {
      started.delete(step)
      const failure = to === "complete" ? null : shortFailure(error)
      run.attempts.push({ attempt: attempt ?? run.attempts.length + 1, startMs, endMs: ms, failure })
    }
  }
  return [...runs]
    .map(([name, run]) => ({ name, ...run }))
    .filter(({ attempts }) => attempts.length > 0)
    .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
}

/** `HTTP_503` → `503`, `TASKER_STEP_TIMEOUT` → `step timeout`. */
export function shortFailure(error: Transition["error"]): string {
  const code = error?.code ?? "failed"
  return code
    .replace(/^(HTTP|TASKER)_/, "")
    .replaceAll("_", " ")
    .toLowerCase()
}
