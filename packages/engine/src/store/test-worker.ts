import type { Database, Queryable } from "../core/database.ts"
import { type AttemptKey, attemptArrays } from "./attempt.ts"
import { run, runOne } from "./run.ts"
import type { StoredEvent } from "./task.ts"
import { at } from "./test-clock.ts"

/** A step that a test's worker was given. */
export interface TestClaim extends AttemptKey {
  readonly name: string
  readonly maxAttempts: number
  readonly priority: number
  readonly input: unknown
  /** By the names of its parents; `null` when it has none. */
  readonly results: Readonly<Record<string, unknown>> | null
  readonly correlationId: string | null
  readonly traceContext: string | null
  readonly startsTask: boolean
  readonly waitMs: number
}

/** How a test says that an attempt ended. */
export interface TestOutcome {
  readonly claim: AttemptKey
  readonly kind: "complete" | "retry" | "error"
  readonly value?: unknown
  readonly delayMs?: number
  readonly cause?: string
  readonly events?: readonly StoredEvent[]
}

export interface TestAdvanced {
  /** By their tasks and numbers, whatever order they were given in. */
  readonly claimed: readonly TestClaim[]
  /** `name#attempt` of each claimed step, sorted. */
  readonly names: readonly string[]
  readonly lost: readonly AttemptKey[]
  readonly ended: readonly { readonly taskId: string; readonly state: string }[]
  /** When those tasks were created and started, and how long they lasted. */
  readonly endedTimes: readonly {
    readonly createdAt: Date
    readonly startedAt: Date | null
    readonly lastedMs: number
  }[]
  readonly queuedCount: number
  readonly nextMs: number | null
}

export interface TestTurn {
  readonly outcomes?: readonly TestOutcome[]
  readonly room?: number
  readonly expected?: readonly [number, number, number, number]
  readonly now?: Date
  readonly db?: Queryable
}

export function completed(claim: AttemptKey, value: unknown = null): TestOutcome {
  return { claim, kind: "complete", value }
}

export function failed(claim: AttemptKey, delayMs = 0): TestOutcome {
  return { claim, kind: "retry", value: { code: null, message: "it failed" }, delayMs }
}

export function failedForGood(claim: AttemptKey): TestOutcome {
  return { claim, kind: "error", value: { code: "BROKEN", message: "it failed for good" } }
}

type NameStep = (workflowId: number, stepNo: number) => string

interface TestWorkerRooms {
  readonly database: Database
  readonly workerId: number
  readonly routes: readonly number[]
  readonly nameStep: NameStep
}

/** A worker that is moved by hand: each turn is one call of `tasker.advance`. */
export class TestWorker {
  readonly workerId: number
  readonly routes: readonly number[]
  readonly #database: Database
  readonly #nameStep: NameStep

  constructor(rooms: TestWorkerRooms) {
    this.workerId = rooms.workerId
    this.routes = rooms.routes
    this.#database = rooms.database
    this.#nameStep = rooms.nameStep
  }

  async advance(turn: TestTurn = {}): Promise<TestAdvanced> {
    const { outcomes = [], room = 100, expected = [0, 0, 0, 0], now = at(0), db = this.#database } = turn
    const rows = await run<AdvanceRow>(db, {
      text: `select * from tasker.advance(
        $1, $2::uuid[], $3::smallint[], $4::smallint[], $5::text[], $6::jsonb[], $7::float8[], $8::text[],
        $9::integer[], $10, $11::integer[], $12::jsonb[], $13)`,
      values: [
        this.workerId,
        outcomes.map(({ claim }) => claim.taskId),
        outcomes.map(({ claim }) => claim.stepNo),
        outcomes.map(({ claim }) => claim.attempt),
        outcomes.map(({ kind }) => kind),
        outcomes.map(({ value }) => JSON.stringify(value ?? null)),
        outcomes.map(({ delayMs }) => delayMs ?? 0),
        outcomes.map(({ cause }) => cause ?? null),
        this.routes,
        room,
        expected,
        outcomes.some(({ events }) => events !== undefined)
          ? outcomes.map(({ events }) => (events === undefined ? null : JSON.stringify(events)))
          : null,
        now,
      ],
    })
    return this.#read(rows)
  }

  /** Claims, and runs nothing. */
  async claim(room?: number, now?: Date): Promise<readonly TestClaim[]> {
    const { claimed } = await this.advance({
      ...(room === undefined ? {} : { room }),
      ...(now === undefined ? {} : { now }),
    })
    return claimed
  }

  /** Claims one step, which must be there. */
  async claimOne(now?: Date): Promise<TestClaim> {
    const [claim] = await this.claim(1, now)
    if (claim === undefined) throw new Error("nothing was ready")
    return claim
  }

  /** Says how attempts ended, and claims nothing. */
  async finish(...outcomes: readonly TestOutcome[]): Promise<TestAdvanced> {
    return await this.advance({ outcomes, room: 0 })
  }

  async heartbeat(running: readonly AttemptKey[], now: Date): Promise<readonly AttemptKey[]> {
    const rows = await run<{ task_id: string; step_no: number; attempt: number }>(this.#database, {
      text: "select * from tasker.heartbeat($1, $2::uuid[], $3::smallint[], $4::smallint[], $5)",
      values: [
        this.workerId,
        running.map(({ taskId }) => taskId),
        running.map(({ stepNo }) => stepNo),
        running.map(({ attempt }) => attempt),
        now,
      ],
    })
    return rows.map((row) => ({ taskId: row.task_id, stepNo: row.step_no, attempt: row.attempt }))
  }

  /** Returns how many steps it handed back. */
  async stop(now: Date = at(0), db: Queryable = this.#database): Promise<number> {
    const { steps } = await runOne<{ steps: number }>(db, {
      text: "select tasker.stop_worker($1, $2) as steps",
      values: [this.workerId, now],
    })
    return steps
  }

  /** Hands back all that the worker does not know of. */
  async recover(known: readonly AttemptKey[], now: Date = at(0)): Promise<number> {
    const { steps } = await runOne<{ steps: number }>(this.#database, {
      text: "select tasker.recover_worker($1, $2::uuid[], $3::smallint[], $4::smallint[], $5) as steps",
      values: [this.workerId, ...attemptArrays(known), now],
    })
    return steps
  }

  #read(rows: readonly AdvanceRow[]): TestAdvanced {
    const of = (kind: AdvanceRow["kind"]) => rows.filter((row) => row.kind === kind)
    const claimed = of("step")
      .map((row) => this.#claim(row))
      .toSorted((a, b) => a.taskId.localeCompare(b.taskId) || a.stepNo - b.stepNo)
    return {
      claimed,
      names: claimed.map(({ name, attempt }) => `${name}#${attempt}`).toSorted(),
      lost: of("lost").map((row) => ({ taskId: row.task_id, stepNo: row.step_no, attempt: row.attempt })),
      ended: of("ended").map((row) => ({ taskId: row.task_id, state: String(row.state) })),
      endedTimes: of("ended").map((row) => ({
        createdAt: row.created_at,
        startedAt: row.started_at,
        lastedMs: row.delay,
      })),
      queuedCount: of("queued")[0]?.delay ?? 0,
      nextMs: of("next")[0]?.delay ?? null,
    }
  }

  #claim(row: AdvanceRow): TestClaim {
    const nameOf = (stepNo: number | string) => this.#nameStep(row.workflow_id, Number(stepNo))
    return {
      taskId: row.task_id,
      stepNo: row.step_no,
      attempt: row.attempt,
      name: nameOf(row.step_no),
      maxAttempts: row.max_attempts,
      priority: row.priority,
      input: row.input,
      results:
        row.results === null
          ? null
          : Object.fromEntries(Object.entries(row.results).map(([stepNo, result]) => [nameOf(stepNo), result])),
      correlationId: row.correlation_id,
      traceContext: row.trace_context,
      startsTask: row.state === "pending",
      waitMs: row.delay,
    }
  }
}

interface AdvanceRow {
  readonly kind: "step" | "lost" | "ended" | "queued" | "next"
  readonly task_id: string
  readonly step_no: number
  readonly attempt: number
  readonly max_attempts: number
  readonly priority: number
  readonly workflow_id: number
  readonly state: string | null
  readonly input: unknown
  readonly results: Readonly<Record<string, unknown>> | null
  readonly correlation_id: string | null
  readonly trace_context: string | null
  readonly created_at: Date
  readonly started_at: Date | null
  readonly delay: number
}
