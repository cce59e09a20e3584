import { TaskerError } from "../core/error.ts"
import { STEP_STATES, type StepState, TASK_STATES, type TaskState } from "../core/state.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { countSteps as countStepRows } from "../store/analytics/count-steps.ts"
import { countTasks as countTaskRows } from "../store/analytics/count-tasks.ts"
import {
  type DurationPercentiles,
  durationPercentiles as durationPercentileRows,
} from "../store/analytics/duration-percentiles.ts"
import type { WorkflowFilter } from "../store/analytics/period.ts"
import { type SlowStep, slowestSteps as slowestStepRows } from "../store/analytics/slowest-steps.ts"
import { type SlowTask, slowestTasks as slowestTaskRows } from "../store/analytics/slowest-tasks.ts"
import { type TaskRateRow, taskRates as taskRateRows } from "../store/analytics/task-rates.ts"
import { dateRule, durationRule, nameFilterRule, pageLimitRule, versionTextRule } from "./argument-rules.ts"
import { assertArgument, assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"

/** Which tasks to count. */
export interface CountFilter extends WorkflowFilter {
  /** Created then or later. Default: no bound, which reads every task there is. */
  readonly since?: Date | undefined
  /** Created before. Default: no bound. */
  readonly until?: Date | undefined
}

/** Which period, and which tasks. */
export interface PeriodFilter extends WorkflowFilter {
  /** From then on. Default: 24 hours before `until`. */
  readonly since?: Date | undefined
  /** Before. Default: now. */
  readonly until?: Date | undefined
}

export interface SlowestFilter extends PeriodFilter {
  /** How many at most, from 1 to 500. Default: 10. */
  readonly limit?: number | undefined
}

export interface RatesFilter extends PeriodFilter {
  /** How long each part of the period is, in milliseconds; at most 1,000 parts. Default: the whole period. */
  readonly partMs?: number | undefined
}

/** How many there are in each state. */
export type StateCounts<State extends string> = Readonly<Record<State, number>>

export interface TaskCounts {
  readonly total: number
  readonly states: StateCounts<TaskState>
}

export interface WorkflowTaskCounts extends TaskCounts {
  readonly workflow: WorkflowId
}

export interface StepCounts {
  readonly total: number
  readonly states: StateCounts<StepState>
}

export interface WorkflowStepCounts extends StepCounts {
  readonly workflow: WorkflowId
  readonly step: string
}

/** What happened to tasks in one part of a period. A task that failed twice counts twice. */
export interface TaskRates extends TaskRateRow {
  /** `null` when the part has no length. */
  readonly createdPerSecond: number | null
  readonly completedPerSecond: number | null
  readonly failedPerSecond: number | null
}

const WORKFLOW_RULES = { namespace: nameFilterRule, workflow: nameFilterRule, version: versionTextRule }
const PERIOD_RULES = { ...WORKFLOW_RULES, since: dateRule, until: dateRule }
const DAY_MS = 86_400_000
const MAX_PARTS = 1_000

/** How many tasks there are in each state. */
export async function countTasks({ database }: ClientRooms, filter: CountFilter = {}): Promise<TaskCounts> {
  assertOptions("countTasks", filter, PERIOD_RULES)
  return tally(TASK_STATES, await countTaskRows(database, filter, false))
}

/** How many tasks of each workflow version there are in each state. */
export async function countTasksByWorkflow(
  { database }: ClientRooms,
  filter: CountFilter = {},
): Promise<readonly WorkflowTaskCounts[]> {
  assertOptions("countTasksByWorkflow", filter, PERIOD_RULES)
  const rows = await countTaskRows(database, filter, true)
  return groups(rows).map(({ workflow, rows: own }) => ({ workflow, ...tally(TASK_STATES, own) }))
}

/** How many steps there are in each state, of tasks created in the period. */
export async function countSteps({ database }: ClientRooms, filter: CountFilter = {}): Promise<StepCounts> {
  assertOptions("countSteps", filter, PERIOD_RULES)
  return tally(STEP_STATES, await countStepRows(database, filter, false))
}

/** How many there are of each step of each workflow version in each state, of tasks created in the period. */
export async function countStepsByName(
  { database }: ClientRooms,
  filter: CountFilter = {},
): Promise<readonly WorkflowStepCounts[]> {
  assertOptions("countStepsByName", filter, PERIOD_RULES)
  const rows = await countStepRows(database, filter, true)
  return groups(rows).map(({ workflow, step, rows: own }) => ({ workflow, step, ...tally(STEP_STATES, own) }))
}

/** Of the tasks that ended in a period, complete or in error, those that took longest. */
export async function slowestTasks(rooms: ClientRooms, filter: SlowestFilter = {}): Promise<readonly SlowTask[]> {
  assertOptions("slowestTasks", filter, { ...PERIOD_RULES, limit: pageLimitRule })
  return await slowestTaskRows(rooms.database, { ...filter, ...periodOf(filter) }, filter.limit ?? 10)
}

/** Of the steps that completed in a period, those whose last attempt took longest. */
export async function slowestSteps(rooms: ClientRooms, filter: SlowestFilter = {}): Promise<readonly SlowStep[]> {
  assertOptions("slowestSteps", filter, { ...PERIOD_RULES, limit: pageLimitRule })
  return await slowestStepRows(rooms.database, { ...filter, ...periodOf(filter) }, filter.limit ?? 10)
}

/** How long tasks and steps that ended in a period took: half, 95 %, and 99 % of them at most so long. */
export async function durationPercentiles(
  rooms: ClientRooms,
  filter: PeriodFilter = {},
): Promise<readonly DurationPercentiles[]> {
  assertOptions("durationPercentiles", filter, PERIOD_RULES)
  return await durationPercentileRows(rooms.database, { ...filter, ...periodOf(filter) })
}

/** How many tasks were created and how many ended, in each part of a period. */
export async function taskRates(rooms: ClientRooms, filter: RatesFilter = {}): Promise<readonly TaskRates[]> {
  assertOptions("taskRates", filter, { ...PERIOD_RULES, partMs: durationRule })
  const period = periodOf(filter)
  const lengthMs = period.until.getTime() - period.since.getTime()
  const { partMs = lengthMs } = filter
  assertArgument("partMs", partMs, {
    rule: `at least 1 and a ${MAX_PARTS}th of the period`,
    accepts: (value) => typeof value === "number" && value >= 1 && value >= lengthMs / MAX_PARTS,
  })
  const rows = await taskRateRows(rooms.database, { ...filter, ...period }, partMs)
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

function periodOf({ since, until }: PeriodFilter): { readonly since: Date; readonly until: Date } {
  // This machine's clock picks the default; every time that is measured is the database's.
  const end = until ?? new Date()
  const start = since ?? new Date(end.getTime() - DAY_MS)
  if (start < end) return { since: start, until: end }
  throw new TaskerError(
    "TASKER_OPTION_INVALID",
    `expected since to be before until, got ${start.toISOString()} and ${end.toISOString()}`,
  )
}

function tally<State extends string>(
  states: readonly State[],
  rows: readonly { readonly state: State; readonly count: number }[],
): { readonly total: number; readonly states: StateCounts<State> } {
  const countOf = (state: State): number => rows.find((row) => row.state === state)?.count ?? 0
  return {
    total: rows.reduce((sum, row) => sum + row.count, 0),
    // Every state is a key of it.
    states: Object.fromEntries(states.map((state) => [state, countOf(state)])) as Record<State, number>,
  }
}

interface CountedRow {
  readonly namespace: string | null
  readonly workflow: string | null
  readonly version: string | null
  readonly step?: string | null
}

interface Group<Row> {
  readonly workflow: WorkflowId
  readonly step: string
  readonly rows: Row[]
}

/** The rows of each workflow version, and of each step where they have one. Counted so, no part of the key is null. */
function groups<Row extends CountedRow>(rows: readonly Row[]): readonly Group<Row>[] {
  const found = new Map<string, Group<Row>>()
  for (const row of rows) {
    const { namespace, workflow, version, step } = row
    const key = `${namespace}/${workflow}@${version}/${step ?? ""}`
    const group = found.get(key) ?? {
      workflow: { namespace: namespace ?? "", name: workflow ?? "", version: version ?? "" },
      step: step ?? "",
      rows: [],
    }
    group.rows.push(row)
    found.set(key, group)
  }
  return [...found.keys()].toSorted().flatMap((key) => found.get(key) ?? [])
}
