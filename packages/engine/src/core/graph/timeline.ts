import { isSatisfied, type StepState } from "../state.ts"
import type { StepGraph } from "./step-graph.ts"

/** A step of a task went from one state to another, so many milliseconds after the task was created. */
export interface StepChange {
  readonly step: number
  readonly from: StepState | null
  readonly to: StepState
  readonly atMs: number
  /** A stopping worker gave it up before it had ended: no failure, so it waits in its queue again, not for a retry. */
  readonly isHandedBack: boolean
}

/** An attempt of a step. All times are milliseconds since the task was created. */
export interface AttemptSpan {
  readonly startMs: number
  /** `null`: it runs. */
  readonly endMs: number | null
  /** What the step became; `null` while it runs. */
  readonly outcome: StepState | null
}

/** Where the time of a step went, in milliseconds. */
export interface StepTimes {
  /** It was ready and nobody ran it: no worker was free, or it was delayed, paused or limited. */
  readonly queueMs: number
  /** It ran, all attempts together. */
  readonly runMs: number
  /** An attempt had failed and the next had not begun. */
  readonly retryMs: number
  /** It had failed for good, and nobody had acted yet; it counts once somebody has. */
  readonly operatorMs: number
}

/** What happened to a step, so far. */
export interface StepTimeline extends StepTimes {
  /** When the last of its parents was done; 0 without parents; `null` while one is not. */
  readonly readyMs: number | null
  /** When it got the state that it has, if it is in nobody's hands any more; now, while it can go on by itself. */
  readonly endMs: number | null
  readonly attempts: readonly AttemptSpan[]
}

/**
 * Works out what each step waited for, and how long it ran.
 *
 * @param changes - of all steps, in order
 * @param untilMs - now, or when the task ended: what has not ended lasts until then
 */
export function buildTimelines(
  graph: StepGraph,
  changes: readonly StepChange[],
  untilMs: number,
): readonly StepTimeline[] {
  const ofStep: StepChange[][] = graph.parents.map(() => [])
  const doneMs: (number | undefined)[] = graph.parents.map(() => undefined)
  for (const change of changes) {
    ofStep[change.step]?.push(change)
    if (isSatisfied(change.to)) doneMs[change.step] = change.atMs
  }
  return ofStep.map((own, step) => timelineOf(own, readyMs(graph, step, doneMs), untilMs))
}

function readyMs(graph: StepGraph, step: number, doneMs: readonly (number | undefined)[]): number | null {
  let latest = 0
  for (const parent of graph.parents[step] ?? []) {
    const done = doneMs[parent]
    if (done === undefined) return null
    latest = Math.max(latest, done)
  }
  return latest
}

function timelineOf(changes: readonly StepChange[], ready: number | null, untilMs: number): StepTimeline {
  const times = { queueMs: 0, runMs: 0, retryMs: 0, operatorMs: 0 }
  const attempts: AttemptSpan[] = []
  let state: StepState = "pending"
  // Somebody may have settled it before its parents were done.
  let since = ready
  for (const { to, atMs, isHandedBack } of changes) {
    if (since !== null) spend(times, state, atMs - since)
    if (state === "in_progress") {
      const running = attempts.pop()
      if (running !== undefined) attempts.push({ ...running, endMs: atMs, outcome: to })
    }
    if (to === "in_progress") attempts.push({ startMs: atMs, endMs: null, outcome: null })
    state = isHandedBack ? "pending" : to
    since = atMs
  }
  if (!MOVES.has(state)) return { ...times, readyMs: ready, endMs: since, attempts }
  if (since !== null) spend(times, state, untilMs - since)
  return { ...times, readyMs: ready, endMs: since === null ? null : Math.max(since, untilMs), attempts }
}

/** The states that a step leaves by itself. */
const MOVES: ReadonlySet<StepState> = new Set(["pending", "in_progress", "waiting_for_retry", "waiting"])

const SPENT_IN: Readonly<Partial<Record<StepState, keyof StepTimes>>> = {
  pending: "queueMs",
  waiting: "queueMs",
  in_progress: "runMs",
  waiting_for_retry: "retryMs",
  error: "operatorMs",
}

function spend(times: Record<keyof StepTimes, number>, state: StepState, ms: number): void {
  const what = SPENT_IN[state]
  if (what !== undefined) times[what] += Math.max(0, ms)
}
