import { messageOf } from "../core/describe-value.ts"
import { type Database, isConnectionError } from "../core/database.ts"
import { isTaskerError, TaskerError } from "../core/error.ts"
import type { ChangeWatch } from "../core/events/change-watch.ts"
import type { Logger } from "../core/logger.ts"
import type { Redact } from "../core/redact.ts"
import { type Outcome, advance } from "../store/advance.ts"
import { observedChange } from "../store/observed-change.ts"
import { readRecorded } from "../store/read-recorded.ts"
import { recoverWorker } from "../store/recover-worker.ts"
import { sqlState } from "../store/sql-error.ts"
import type { Lane } from "./lane.ts"
import { stepError } from "./step-error.ts"
import { tellRecorded } from "./tell-recorded.ts"
import type { WorkerTeller } from "./tell-worker.ts"

export interface RecoveryOptions {
  readonly database: Database
  /** Told what handing back changed, and what turned out to be recorded. */
  readonly changes: ChangeWatch
  readonly logger: Logger
  readonly redact: Redact
  readonly lanes: readonly Lane[]
  readonly workerId: () => number
  readonly tell: WorkerTeller
  /** Makes the worker known under a new id. */
  readonly register: () => Promise<void>
  readonly onRecovered: () => void
}

/** The call that failed, and what it was to record. */
export interface FailedCall {
  readonly lane: Lane
  readonly outcomes: readonly Outcome[]
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5_000

/**
 * Settles what a failed call left behind. Lanes make no call meanwhile; handlers
 * go on, and their outcomes are kept.
 *
 * - The connection broke: nobody knows whether the call committed. Once the
 *   database answers again, steps that the worker was given without hearing of it
 *   are handed back; outcomes that were recorded are told, and the others sent again.
 * - The lease was lost: everything that ran is somebody else's. The worker starts
 *   anew under another id.
 * - The database refused the call itself: its outcomes are sent one by one, and the
 *   one that cannot be stored becomes an error of its step.
 */
export class Recovery {
  readonly #options: RecoveryOptions
  readonly #stopped = new AbortController()
  #underWay: Promise<void> | undefined
  /** The id whose loss was told. */
  #lostId: number | undefined

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Lanes wait for this while it is there. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay
  }

  /** Starts to recover, unless it is under way. */
  start(error: unknown, call?: FailedCall): void {
    if (this.#underWay !== undefined || this.#stopped.signal.aborted) return
    this.#underWay = this.#recover(error, call).finally(() => {
      this.#underWay = undefined
      this.#options.onRecovered()
    })
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #recover(error: unknown, call: FailedCall | undefined): Promise<void> {
    const { logger, tell, workerId } = this.#options
    const startedAt = performance.now()
    tell.disconnected(error)
    // In the next turn, so that the lane that failed is back from its call.
    await new Promise(setImmediate)
    await Promise.all(this.#options.lanes.map((lane) => lane.settled()))
    const isRefused = !isConnectionError(error) && !isTaskerError(error, "TASKER_LEASE_LOST")
    if (isRefused)
      logger.error(
        { workerId: workerId(), error: messageOf(error), ...schemaHint(error) },
        "the database refused a call of the worker",
      )
    else logger.warn({ workerId: workerId(), error: messageOf(error) }, "the worker lost its connection or its lease")

    await this.#untilDone(() => this.#reconcile())
    if (isRefused && call !== undefined) await this.#untilDone(() => this.#recordOneByOne(call))
    // What is refused for no reason of ours would otherwise be asked for again without a pause.
    if (isRefused) await this.#pause(FIRST_DELAY_MS * 10)
    if (this.#stopped.signal.aborted) return
    logger.info({ workerId: workerId() }, "the worker goes on")
    tell.recovered(performance.now() - startedAt)
  }

  async #reconcile(): Promise<void> {
    const { changes, database, lanes, logger, tell, workerId, register } = this.#options
    const known = lanes.flatMap((lane) => lane.known)
    try {
      const handedBack = await observedChange(database, changes, (db) => recoverWorker(db, workerId(), known))
      await this.#noteRecorded()
      if (handedBack > 0)
        logger.warn({ workerId: workerId(), steps: handedBack }, "handed back steps whose claim was not heard")
    } catch (error) {
      if (!isTaskerError(error, "TASKER_LEASE_LOST")) throw error
      await this.#noteRecorded()
      // Once, however often it takes until the worker is known under another id.
      if (this.#lostId !== workerId()) tell.leaseLost(error)
      this.#lostId = workerId()
      for (const lane of lanes) lane.abandon(error)
      await register()
    }
  }

  /** Outcomes whose answer was lost may have been recorded all the same: then they are told, and not sent again. */
  async #noteRecorded(): Promise<void> {
    const { changes, database, lanes, workerId } = this.#options
    // Not what runs: a transactional step records its own end, and is told of it.
    const ended = lanes.flatMap((lane) => lane.ended)
    const recorded = await readRecorded(database, workerId(), ended)
    for (const lane of lanes) lane.forget(recorded)
    tellRecorded(changes, recorded)
  }

  async #recordOneByOne({ lane, outcomes }: FailedCall): Promise<void> {
    const { database, workerId } = this.#options
    // An answer may have been lost here, too.
    await this.#noteRecorded()
    for (const outcome of outcomes.filter((candidate) => lane.holds(candidate))) {
      const request = { workerId: workerId(), routes: [], room: 0, expected: [0, 0, 0, 0] } as const
      try {
        const calledAt = performance.now()
        const advanced = await advance(database, { ...request, outcomes: [outcome] })
        lane.settle(outcome, { advanced, callMs: performance.now() - calledAt })
      } catch (error) {
        if (mayPass(error)) throw error
        lane.replace(outcome, refusedOutcome(outcome, error, this.#options.redact))
      }
    }
  }

  async #untilDone(work: () => Promise<void>): Promise<void> {
    for (
      let delayMs = FIRST_DELAY_MS;
      !this.#stopped.signal.aborted;
      delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
    ) {
      try {
        return await work()
      } catch (error) {
        this.#options.logger.warn(
          { error: messageOf(error), nextTryMs: delayMs, ...schemaHint(error) },
          isUnfitSchema(error)
            ? "the schema of the database does not fit this worker"
            : "the database does not answer the worker",
        )
        await this.#pause(delayMs)
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopped
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener("abort", done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener("abort", done)
    })
  }
}

/**
 * Whether the database may take the same outcome later, because nothing is wrong with it: a lock or a statement took too
 * long, a deadlock, a full disk, a standby, a schema that is being upgraded.
 */
function mayPass(error: unknown): boolean {
  return (
    isConnectionError(error)
    || isUnfitSchema(error)
    || isTaskerError(error, "TASKER_DATABASE_READ_ONLY")
    || /^(40|53|55|57|58)/.test(sqlState(error) ?? "")
  )
}

/** An unknown function, table or column, or no right to one: our statement and the schema differ, whatever it carries. */
function isUnfitSchema(error: unknown): boolean {
  return sqlState(error)?.startsWith("42") ?? false
}

function schemaHint(error: unknown): { readonly hint?: string } {
  return isUnfitSchema(error) ? { hint: "update this process to the version that migrated the database" } : {}
}

function refusedOutcome(outcome: Outcome, cause: unknown, redact: Redact): Outcome {
  const error = new TaskerError("TASKER_RESULT_INVALID", `the database refused the outcome: ${messageOf(cause)}`)
  return { ...outcome, kind: "error", json: JSON.stringify(stepError(error, redact)), cause: null, events: undefined }
}
