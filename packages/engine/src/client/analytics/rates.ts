import type { PeriodCounts } from "../../store/analytics/period-counts.ts"

/** What part of a whole something is, from 0 to 1; `null` when there is no whole. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

/** Nothing happened. */
export function noCounts(): PeriodCounts {
  return {
    tasksCreated: 0,
    tasksCompleted: 0,
    tasksFailed: 0,
    tasksCancelled: 0,
    tasksResolved: 0,
    attemptsStarted: 0,
    attemptsCompleted: 0,
    attemptsRetried: 0,
    attemptsFailed: 0,
    attemptsSkipped: 0,
    attemptsCancelled: 0,
    retriedAndCompleted: 0,
    retriedAndFailed: 0,
  }
}
