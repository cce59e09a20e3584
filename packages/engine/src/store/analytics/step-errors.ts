import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"
import type { Period, WorkflowFilter } from "./period.ts"

/** Attempts that failed alike. */
export interface ErrorPattern {
  readonly code: string | null
  /** What their messages have in common: ids and numbers are "#". */
  readonly message: string
  /** The message of the latest. */
  readonly latest: string
  /** How many attempts failed so. */
  readonly count: number
  /** Of how many tasks. */
  readonly tasks: number
  /** How many of these attempts were their step's last. */
  readonly final: number
  readonly firstAt: Date
  readonly lastAt: Date
}

export interface ErrorPatternRow extends ErrorPattern {
  /** How many attempts failed in all, those of other patterns included. */
  readonly total: number
}

/** The errors of attempts that failed in a period, grouped, the most frequent first. */
export async function stepErrors(
  db: Queryable,
  filter: WorkflowFilter & Period,
  limit: number,
): Promise<readonly ErrorPatternRow[]> {
  return await run<ErrorPatternRow>(db, {
    text: `
      select code, message, latest, count, tasks, final, total, first_at as "firstAt", last_at as "lastAt"
      from tasker.step_errors($1, $2, $3, $4, $5, $6)`,
    values: [filter.since, filter.until, filter.namespace, filter.workflow, filter.version, limit],
  })
}
