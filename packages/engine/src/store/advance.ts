import type { Queryable } from "../core/database.ts"
import type { Priority } from "../core/workflow.ts"
import type { AttemptKey } from "./attempt.ts"
import { run } from "./run.ts"
import type { StoredEvent } from "./task.ts"

/** How an attempt ended. */
export interface Outcome extends AttemptKey {
  /** `retry`: another attempt while there is one. `error`: for good. */
  readonly kind: "complete" | "retry" | "error"
  /** The result or the error, as JSON; null when the step returned nothing. */
  readonly json: string | null
  /** How long a retry waits, in milliseconds. */
  readonly delayMs: number
  /** A word for the transition, such as `timeout`. */
  readonly cause: string | null
  /** What the attempt published; recorded if and only if the outcome is. */
  readonly events?: readonly StoredEvent[] | undefined
}

export interface AdvanceRequest {
  readonly workerId: number
  readonly outcomes: readonly Outcome[]
  /** The routes that the worker serves. */
  readonly routes: readonly number[]
  /** How many more steps it could run, now that these ended. */
  readonly room: number
  /** How many children it expects to become ready: of priority 1, of 1 or 2, of 1 to 3, of any. */
  readonly expected: readonly [number, number, number, number]
}

/** A step to run. */
export interface ClaimedStep extends AttemptKey {
  readonly workflowId: number
  readonly maxAttempts: number
  /** The task's priority. */
  readonly priority: Priority
  readonly input: unknown
  /** Results of its parents by their number; skipped ones are absent. `false`: too large to be handed over together. */
  readonly results: Readonly<Record<string, unknown>> | false | null
  readonly correlationId: string
  /** The span that created the task, as a W3C traceparent. */
  readonly traceContext: string | null
  /** Whether the claim of this step started its task: true for one step of a task, once. */
  readonly startsTask: boolean
  /** How long it was due before it was claimed, in milliseconds, by the database's clock. */
  readonly waitMs: number
  /** The step's state before this attempt. */
  readonly from: "pending" | "waiting_for_retry"
}

export interface EndedTask {
  readonly taskId: string
  readonly state: "complete" | "error"
  readonly createdAt: Date
  readonly startedAt: Date
  readonly finishedAt: Date
}

export interface Advanced {
  /** Whether it wrote history. */
  readonly moved: boolean
  readonly claimed: readonly ClaimedStep[]
  /** Outcomes that were refused, because the worker no longer held the attempt. */
  readonly lost: readonly AttemptKey[]
  readonly ended: readonly EndedTask[]
  /** How many steps became ready that this worker did not take. */
  readonly queuedCount: number
  /** When there is room left, and no outcome was given: how long until the earliest delayed step is due, in milliseconds. */
  readonly nextMs: number | null
}

/**
 * One turn of a worker, in one round trip and one commit: records how attempts
 * ended, and claims what to run next.
 *
 * @throws {@link TaskerError} `TASKER_LEASE_LOST` when the worker is lost or stopped
 */
export async function advance(db: Queryable, request: AdvanceRequest): Promise<Advanced> {
  const { outcomes } = request
  const rows = await run<AdvanceRow>(db, {
    name: "tasker.advance",
    text: ADVANCE,
    values: [
      request.workerId,
      outcomes.map((outcome) => outcome.taskId),
      outcomes.map((outcome) => outcome.stepNo),
      outcomes.map((outcome) => outcome.attempt),
      outcomes.map((outcome) => outcome.kind),
      outcomes.map((outcome) => outcome.json),
      outcomes.map((outcome) => outcome.delayMs),
      outcomes.map((outcome) => outcome.cause),
      request.routes,
      request.room,
      request.expected,
      eventsOf(outcomes),
    ],
  })
  return readRows(rows, outcomes.length)
}

const ADVANCE = `select * from tasker.advance(
  $1, $2::uuid[], $3::smallint[], $4::smallint[], $5::text[], $6::jsonb[], $7::float8[], $8::text[],
  $9::integer[], $10, $11::integer[], $12::jsonb[])`

/** As JSON, for each outcome; null when none of them published anything. */
function eventsOf(outcomes: readonly Outcome[]): readonly (string | null)[] | null {
  if (!outcomes.some(({ events = [] }) => events.length > 0)) return null
  return outcomes.map(({ events = [] }) => (events.length === 0 ? null : JSON.stringify(events)))
}

/** Which columns hold something depends on `kind`; see the header of advance.sql. */
interface AdvanceRow {
  readonly kind: "step" | "lost" | "ended" | "queued" | "next"
  readonly task_id: string
  readonly step_no: number
  readonly attempt: number
  readonly max_attempts: number
  readonly priority: Priority
  readonly workflow_id: number
  readonly state: "complete" | "error" | "pending"
  readonly input: unknown
  readonly results: Readonly<Record<string, unknown>> | false | null
  readonly correlation_id: string | null
  readonly trace_context: string | null
  readonly created_at: Date
  readonly started_at: Date
  readonly from_state: "pending" | "waiting_for_retry" | null
  readonly delay: number
}

function readRows(rows: readonly AdvanceRow[], outcomeCount: number): Advanced {
  const claimed: ClaimedStep[] = []
  const lost: AttemptKey[] = []
  const ended: EndedTask[] = []
  let queuedCount = 0
  let nextMs: number | null = null
  for (const row of rows) {
    switch (row.kind) {
      case "step":
        claimed.push(claimedStep(row))
        break
      case "lost":
        lost.push({ taskId: row.task_id, stepNo: row.step_no, attempt: row.attempt })
        break
      case "ended":
        ended.push({
          taskId: row.task_id,
          state: row.state === "complete" ? "complete" : "error",
          createdAt: row.created_at,
          startedAt: row.started_at,
          finishedAt: new Date(row.created_at.getTime() + row.delay),
        })
        break
      case "queued":
        queuedCount = row.delay
        break
      case "next":
        nextMs = row.delay
    }
  }
  const moved = claimed.length > 0 || lost.length < outcomeCount
  return { moved, claimed, lost, ended, queuedCount, nextMs }
}

function claimedStep(row: AdvanceRow): ClaimedStep {
  return {
    taskId: row.task_id,
    stepNo: row.step_no,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    priority: row.priority,
    workflowId: row.workflow_id,
    input: row.input,
    results: row.results,
    correlationId: row.correlation_id ?? row.task_id,
    traceContext: row.trace_context,
    startsTask: row.state === "pending",
    // A clock that was set back makes it no less than nothing.
    waitMs: Math.max(0, row.delay),
    from: row.from_state ?? "pending",
  }
}
