import { STEP_STATES, type StepState, TASK_STATES, type TaskState } from "../core/state.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { countSteps as countStepRows } from "../store/analytics/count-steps.ts"
import { countTasks as countTaskRows } from "../store/analytics/count-tasks.ts"
import type { WorkflowFilter } from "../store/analytics/period.ts"
import { PERIOD_RULES } from "./period.ts"
import { assertOptions } from "./assert-argument.ts"
import type { ClientRooms } from "./client-rooms.ts"

/** Which tasks to count. */
export interface CountFilter extends WorkflowFilter {
  /** Created then or later. Default: no bound, which reads every task there is. */
  readonly since?: Date | undefined
  /** Created before. Default: no bound. */
  readonly until?: Date | undefined
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

/** Counts of every state, of those without any too. */
export function tally<State extends string>(
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
