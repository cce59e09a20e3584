import type { Queryable } from "../core/database.ts"
import {
  type DurationPercentiles,
  durationPercentiles as durationPercentileRows,
} from "../store/analytics/duration-percentiles.ts"
import { type SlowStep, slowestSteps as slowestStepRows } from "../store/analytics/slowest-steps.ts"
import { type SlowTask, slowestTasks as slowestTaskRows } from "../store/analytics/slowest-tasks.ts"
import { pageLimitRule } from "./argument-rules.ts"
import { assertOptions } from "./assert-argument.ts"
import { bounded } from "./bounded.ts"
import type { ClientRooms } from "./client-rooms.ts"
import { DEFAULT_MEASURING_MS, MEASURED_PERIOD_RULES, type MeasuredPeriodFilter, periodOf } from "./period.ts"

export interface SlowestFilter extends MeasuredPeriodFilter {
  /** How many at most, from 1 to 500. Default: 10. */
  readonly limit?: number | undefined
}

/** Of the tasks that ended in a period, complete or in error, those that took longest. */
export async function slowestTasks(rooms: ClientRooms, filter: SlowestFilter = {}): Promise<readonly SlowTask[]> {
  assertOptions("slowestTasks", filter, { ...MEASURED_PERIOD_RULES, limit: pageLimitRule })
  return await slowestTaskRows(boundedBy(rooms, filter), { ...filter, ...periodOf(filter) }, filter.limit ?? 10)
}

/** Of the steps that completed in a period, those whose last attempt took longest. */
export async function slowestSteps(rooms: ClientRooms, filter: SlowestFilter = {}): Promise<readonly SlowStep[]> {
  assertOptions("slowestSteps", filter, { ...MEASURED_PERIOD_RULES, limit: pageLimitRule })
  return await slowestStepRows(boundedBy(rooms, filter), { ...filter, ...periodOf(filter) }, filter.limit ?? 10)
}

/** How long tasks and steps that ended in a period took: half, 95 %, and 99 % of them at most so long. */
export async function durationPercentiles(
  rooms: ClientRooms,
  filter: MeasuredPeriodFilter = {},
): Promise<readonly DurationPercentiles[]> {
  assertOptions("durationPercentiles", filter, MEASURED_PERIOD_RULES)
  return await durationPercentileRows(boundedBy(rooms, filter), { ...filter, ...periodOf(filter) })
}

function boundedBy({ database }: ClientRooms, { timeoutMs = DEFAULT_MEASURING_MS }: MeasuredPeriodFilter): Queryable {
  return bounded(database, timeoutMs)
}
