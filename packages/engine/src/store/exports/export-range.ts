import type { Queryable } from "../../core/database.ts"
import type { OpenPeriod } from "../analytics/period.ts"
import { runOne } from "../run.ts"

/** Between which keys the rows of an export lie, neither included. */
export interface ExportRange {
  readonly afterTask: string
  readonly endTask: string
  readonly afterTransition: number
  readonly endTransition: number
}

/** Finds the rows of a period by their keys. What is written from now on is in none of them. */
export async function exportRange(db: Queryable, { since, until }: OpenPeriod): Promise<ExportRange> {
  return await runOne<ExportRange>(db, {
    name: "tasker.export_range",
    text: `
      select
        after_task as "afterTask",
        end_task as "endTask",
        after_transition as "afterTransition",
        end_transition as "endTransition"
      from tasker.export_range($1, $2)`,
    values: [since, until],
  })
}
