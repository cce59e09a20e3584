import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** What happened in a period. A task or a step that failed twice counts twice. */
export interface PeriodCounts {
  readonly tasksCreated: number
  readonly tasksCompleted: number
  readonly tasksFailed: number
  readonly tasksCancelled: number
  readonly tasksResolved: number
  readonly attemptsStarted: number
  readonly attemptsCompleted: number
  /** Failed, with another attempt to follow. */
  readonly attemptsRetried: number
  /** Failed for good. */
  readonly attemptsFailed: number
  /** Failed for good, where the step may be skipped. */
  readonly attemptsSkipped: number
  readonly attemptsCancelled: number
  /** Steps that completed after an attempt of them had failed and was followed by another. */
  readonly retriedAndCompleted: number
  /** Steps that failed for good after that. */
  readonly retriedAndFailed: number
}

export interface PeriodCountRow extends PeriodCounts {
  /** `null` unless counted by workflow. */
  readonly workflowId: number | null
}

/** What happened in a period; a row per workflow row when asked for. No row where nothing happened. */
export async function periodCounts(
  db: Queryable,
  filter: WorkflowFilter & Period,
  byWorkflow: boolean,
): Promise<readonly PeriodCountRow[]> {
  return await run<PeriodCountRow>(db, {
    text: `
      select ${COLUMNS}
      from tasker.period_counts($1, $2, $3, $4, $5, $6)`,
    values: [filter.since, filter.until, filter.namespace, filter.workflow, filter.version, byWorkflow],
  })
}

/** What happened of late, by the clock of the database. */
export async function recentCounts(db: Queryable, recentMs: number): Promise<PeriodCounts | undefined> {
  const [row] = await run<PeriodCounts>(db, {
    text: `
      select ${COLUMNS}
      from tasker.period_counts(now() - $1 * interval '1 millisecond', 'infinity', null, null, null, false)`,
    values: [recentMs],
  })
  return row
}

const COLUMNS = `
  workflow_id as "workflowId",
  tasks_created as "tasksCreated",
  tasks_completed as "tasksCompleted",
  tasks_failed as "tasksFailed",
  tasks_cancelled as "tasksCancelled",
  tasks_resolved as "tasksResolved",
  attempts_started as "attemptsStarted",
  attempts_completed as "attemptsCompleted",
  attempts_retried as "attemptsRetried",
  attempts_failed as "attemptsFailed",
  attempts_skipped as "attemptsSkipped",
  attempts_cancelled as "attemptsCancelled",
  retried_and_completed as "retriedAndCompleted",
  retried_and_failed as "retriedAndFailed"`
