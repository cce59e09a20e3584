import type { TaskState, StepState } from "../../core/state.ts"
import type { OpenPeriod, WorkflowFilter } from "../analytics/period.ts"

/** Which rows an export wants, all conditions together; `undefined` is no condition. */
export interface ExportedRows extends WorkflowFilter, OpenPeriod {
  readonly states?: readonly (TaskState | StepState)[] | undefined
}

/** How much one call reads. */
export interface PageSize {
  readonly rows: number
  /** About, of what users stored, as text. */
  readonly bytes: number
}

/** Some rows of an export. */
export interface ExportPage<Row, After> {
  /** Those that match; there may be none although more follow. */
  readonly rows: readonly Row[]
  /** Where the next page begins; `undefined` when nothing is left. */
  readonly after: After | undefined
}

/** A row as it comes: the last one that was read comes even when it does not match. */
export interface ReadRow {
  readonly matches: boolean
}

/** Separates the rows that match from where the next page begins. */
export function toPage<Row extends object, After>(
  read: readonly (Row & ReadRow)[],
  keyOf: (last: Row) => After,
): ExportPage<Row, After> {
  const last = read.at(-1)
  return {
    rows: read.filter(({ matches }) => matches),
    after: last === undefined ? undefined : keyOf(last),
  }
}
