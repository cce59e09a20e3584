import { TaskerError } from "../core/error.ts"
import { integerRule } from "../core/option-rules.ts"
import type { WorkflowFilter } from "../store/analytics/period.ts"
import { dateRule, nameFilterRule, versionTextRule } from "./argument-rules.ts"

/** Which period, and which tasks. */
export interface PeriodFilter extends WorkflowFilter {
  /** From then on. Default: 24 hours before `until`. */
  readonly since?: Date | undefined
  /** Before. Default: now. */
  readonly until?: Date | undefined
}

export const PERIOD_RULES = {
  namespace: nameFilterRule,
  workflow: nameFilterRule,
  version: versionTextRule,
  since: dateRule,
  until: dateRule,
}

/** How long measuring may take. */
export interface MeasuringLimit {
  /**
   * How long the whole call may take, in milliseconds, the wait for a connection included; 1 to 3,600,000. What the server
   * is at then, it finishes in vain, unless its `statement_timeout` ends that. PGlite has one session: there everything else
   * waits until the statement is done.
   *
   * Default: 60,000.
   */
  readonly timeoutMs?: number | undefined
}

/** Which period to measure, which tasks of it, and for how long. */
export interface MeasuredPeriodFilter extends PeriodFilter, MeasuringLimit {}

export const measuringTimeoutRule = integerRule(1, 3_600_000)

/** Longer than a status takes: a day of a busy system is millions of rows. */
export const DEFAULT_MEASURING_MS = 60_000

export const MEASURED_PERIOD_RULES = { ...PERIOD_RULES, timeoutMs: measuringTimeoutRule }

const DAY_MS = 86_400_000

/**
 * The period that was asked for, with its defaults.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when it ends before it begins
 */
export function periodOf({ since, until }: PeriodFilter): { readonly since: Date; readonly until: Date } {
  // This machine's clock picks the default; every time that is measured is the database's.
  const end = until ?? new Date()
  const start = since ?? new Date(end.getTime() - DAY_MS)
  assertOrder(start, end)
  return { since: start, until: end }
}

/** @throws TaskerError `TASKER_OPTION_INVALID` when a period ends before it begins */
export function assertOrder(since: Date, until: Date): void {
  if (since < until) return
  throw new TaskerError(
    "TASKER_OPTION_INVALID",
    `expected since to be before until, got ${since.toISOString()} and ${until.toISOString()}`,
  )
}
