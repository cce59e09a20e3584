import type { Queryable } from "../../core/database.ts"
import type { StepRecord, TaskRecord, TransitionRecord } from "../../core/exporter.ts"
import type { Redactor } from "../../core/redact.ts"
import { exportRange } from "../../store/exports/export-range.ts"
import { type ExportedStep, exportSteps } from "../../store/exports/export-steps.ts"
import { type ExportedTask, exportTasks } from "../../store/exports/export-tasks.ts"
import { type ExportedTransition, exportTransitions } from "../../store/exports/export-transitions.ts"
import type { ExportPage, PageSize } from "../../store/exports/exported-rows.ts"
import type { StoredError } from "../../store/task.ts"
import { listOf } from "../list-of.ts"
import type { HistoryExport, StepsExport, TasksExport } from "./export-request.ts"

/** What reading stands on. */
export interface ReadingRooms {
  readonly database: Queryable
  /** How much one call of the database reads. */
  readonly pageSize: PageSize
  /** Takes secrets out of records, by the names of their fields too. */
  readonly redact: Redactor
}

/** Tasks, the oldest first. */
export async function* readTasks(rooms: ReadingRooms, request: TasksExport): AsyncGenerator<TaskRecord> {
  const range = await exportRange(rooms.database, request)
  const withInput = request.include?.includes("input") ?? false
  const wanted = { ...request, states: listOf(request.state), end: range.endTask, withInput }
  const rows = rowsOf(range.afterTask, async (after) => {
    return await exportTasks(rooms.database, { ...wanted, after }, rooms.pageSize)
  })
  for await (const row of rows) yield rooms.redact.json(toTask(row, withInput))
}

/** The steps of tasks, the oldest task first. */
export async function* readSteps(rooms: ReadingRooms, request: StepsExport): AsyncGenerator<StepRecord> {
  const range = await exportRange(rooms.database, request)
  const withResult = request.include?.includes("result") ?? false
  const wanted = { ...request, states: listOf(request.state), end: range.endTask, withResult }
  // After all steps of the task before the first one.
  const rows = rowsOf({ taskId: range.afterTask, stepNo: LAST_STEP_NO }, async (after) => {
    return await exportSteps(rooms.database, { ...wanted, after }, rooms.pageSize)
  })
  for await (const row of rows) yield rooms.redact.json(toStep(row, withResult))
}

/** The largest number that a step can have. */
const LAST_STEP_NO = 32_767

/** What happened, in its order. */
export async function* readHistory(rooms: ReadingRooms, request: HistoryExport): AsyncGenerator<TransitionRecord> {
  const range = await exportRange(rooms.database, request)
  const withPayload = request.include?.includes("payload") ?? false
  const wanted = { ...request, end: range.endTransition, withPayload }
  const rows = rowsOf(range.afterTransition, async (after) => {
    return await exportTransitions(rooms.database, { ...wanted, after }, rooms.pageSize)
  })
  for await (const row of rows) yield rooms.redact.json(toTransition(row, withPayload))
}

/**
 * The rows of all pages, one page read ahead, so that the database works while a page is written.
 *
 * Each page is a statement of its own. One transaction for all would show every row at one moment, but for as long as an
 * export takes no row that was deleted meanwhile could be vacuumed: the queue, through which every step goes, would swell,
 * and every claim with it.
 */
async function* rowsOf<Row, After>(
  first: After,
  read: (after: After) => Promise<ExportPage<Row, After>>,
): AsyncGenerator<Row> {
  let page = await read(first)
  while (page.after !== undefined) {
    const next = read(page.after)
    // Who stops reading early never asks what became of it.
    next.catch(() => {})
    yield* page.rows
    page = await next
  }
}

function toTask(row: ExportedTask, withInput: boolean): TaskRecord {
  return {
    kind: "task",
    taskId: row.taskId,
    namespace: row.namespace,
    workflow: row.workflow,
    version: row.version,
    state: row.state,
    priority: row.priority,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    durationMs: durationOf(row),
    pausedAt: row.pausedAt,
    tags: row.tags,
    attributes: row.attributes,
    correlationId: row.correlationId,
    initiator: row.initiator,
    sourceSystem: row.sourceSystem,
    reason: row.reason,
    ...(withInput && { input: row.input ?? null }),
  }
}

function toStep(row: ExportedStep, withResult: boolean): StepRecord {
  return {
    kind: "step",
    taskId: row.taskId,
    namespace: row.namespace,
    workflow: row.workflow,
    version: row.version,
    step: row.step,
    state: row.state,
    attempts: row.attempts,
    maxAttempts: row.maxAttempts,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    durationMs: durationOf(row),
    ...errorFields(row.error),
    ...(withResult && { result: row.result ?? null }),
  }
}

function toTransition(row: ExportedTransition, withPayload: boolean): TransitionRecord {
  return {
    kind: "transition",
    transitionId: row.transitionId,
    at: row.at,
    taskId: row.taskId,
    namespace: row.namespace,
    workflow: row.workflow,
    version: row.version,
    step: row.step,
    from: row.from,
    to: row.to,
    attempt: row.attempt,
    workerId: row.workerId,
    cause: row.cause,
    by: row.by,
    reason: row.reason,
    ...errorFields(row.error),
    event: row.event,
    ...(withPayload && { payload: row.payload ?? null }),
  }
}

function durationOf(row: Pick<TaskRecord, "startedAt" | "finishedAt">): number | null {
  return row.startedAt === null || row.finishedAt === null ? null : row.finishedAt.getTime() - row.startedAt.getTime()
}

function errorFields(error: StoredError | null): Pick<StepRecord, "errorName" | "errorCode" | "errorMessage"> {
  return { errorName: error?.name ?? null, errorCode: error?.code ?? null, errorMessage: error?.message ?? null }
}
