import { type TaskRateRow, taskRates as taskRateRows } from "../store/analytics/task-rates.ts"
import { delayRule } from "../core/option-rules.ts"
import { assertArgument, assertOptions } from "./assert-argument.ts"
import { bounded } from "./bounded.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { DEFAULT_MEASURING_MS, MEASURED_PERIOD_RULES, type MeasuredPeriodFilter, periodOf } from "./period.ts"

export interface RatesFilter extends MeasuredPeriodFilter {
  /** How long each part of the period is, in milliseconds; at most 1,000 parts. Default: the whole period. */
  readonly partMs?: number | undefined
}

/** What happened to tasks in one part of a period. A task that failed twice counts twice. */
export interface TaskRates extends TaskRateRow {
  /** `null` when the part has no length. */
  readonly createdPerSecond: number | null
  readonly completedPerSecond: number | null
  readonly failedPerSecond: number | null
}

const MAX_PARTS = 1_000

/** How many tasks were created and how many ended, in each part of a period. */
export async function taskRates(rooms: ClientRooms, filter: RatesFilter = {}): Promise<readonly TaskRates[]> {
  assertOptions("taskRates", filter, { ...MEASURED_PERIOD_RULES, partMs: delayRule })
  const period = periodOf(filter)
  const lengthMs = period.until.getTime() - period.since.getTime()
  const { partMs = lengthMs, timeoutMs = DEFAULT_MEASURING_MS } = filter
  assertArgument("partMs", partMs, {
    rule: `at least 1 and a ${MAX_PARTS}th of the period`,
    accepts: (value) => typeof value === "number" && value >= 1 && value >= lengthMs / MAX_PARTS,
  })
  const rows = await taskRateRows(bounded(rooms.database, timeoutMs), { ...filter, ...period }, partMs)
  return rows.map((row) => {
    const seconds = (row.until.getTime() - row.since.getTime()) / 1_000
    const perSecond = (count: number): number | null => (seconds > 0 ? count / seconds : null)
    return {
      ...row,
      createdPerSecond: perSecond(row.created),
      completedPerSecond: perSecond(row.completed),
      failedPerSecond: perSecond(row.failed),
    }
  })
}
