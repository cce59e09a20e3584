import type { Connection, Database } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { ChangeWatch } from "../core/events/change-watch.ts"
import type { Logger } from "../core/logger.ts"
import { attemptText } from "../store/attempt.ts"
import { heartbeat } from "../store/heartbeat.ts"
import { observedChange } from "../store/observed-change.ts"
import { rescueSteps } from "../store/rescue-steps.ts"
import type { Lane } from "./lane.ts"
import type { WorkerTeller } from "./tell-worker.ts"

export interface PulseOptions {
  readonly database: Database
  /** Told what a rescue changed. */
  readonly changes: ChangeWatch
  readonly logger: Logger
  readonly lanes: readonly Lane[]
  readonly workerId: () => number
  readonly tell: WorkerTeller
  readonly intervalMs: number
  /** Steps of a lost worker are ready again. */
  readonly onRescued: () => void
  readonly onFailure: (error: unknown) => void
}

/**
 * Keeps the worker's lease, aborts what was cancelled, and takes back the steps
 * of workers whose lease has run out.
 */
export class Pulse {
  readonly #options: PulseOptions
  #timer: NodeJS.Timeout | undefined
  // Its own, so that no crowd on the pool can cost the worker its lease.
  #connection: Connection | undefined
  #isBeating = false
  // A worker that was never registered has no lease.
  #renewedAt = Number.NEGATIVE_INFINITY
  #isAsked = false
  #isStopped = false

  constructor(options: PulseOptions) {
    this.#options = options
  }

  start(): void {
    this.#schedule()
  }

  /** How long ago the lease that holds was asked for. */
  get ageMs(): number {
    return performance.now() - this.#renewedAt
  }

  /** Notes that the lease begins anew at a call that was made then. */
  renewed(calledAt: number): void {
    this.#renewedAt = calledAt
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    if (!this.#isBeating) this.#release()
  }

  /** Beats now: something may have been cancelled. */
  beat(): void {
    if (this.#isStopped) return
    if (this.#isBeating) this.#isAsked = true
    else void this.#beat()
  }

  #release(): void {
    this.#connection?.release()
    this.#connection = undefined
  }

  #schedule(): void {
    if (this.#isStopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.beat(), this.#options.intervalMs)
  }

  async #beat(): Promise<void> {
    this.#isBeating = true
    try {
      this.#connection ??= await this.#options.database.reserve()
      await this.#extendLease(this.#connection)
      await this.#rescue(this.#connection)
    } catch (error) {
      this.#release()
      if (!this.#isStopped) this.#options.onFailure(error)
    }
    if (this.#isStopped) this.#release()
    this.#isBeating = false
    this.#schedule()
    if (this.#isAsked) {
      this.#isAsked = false
      this.beat()
    }
  }

  async #extendLease(connection: Connection): Promise<void> {
    const { lanes, tell, workerId } = this.#options
    const known = lanes.flatMap((lane) => lane.known)
    const calledAt = performance.now()
    const gone = await heartbeat(connection, workerId(), known)
    this.renewed(calledAt)
    tell.heartbeat(lanes, performance.now() - calledAt)
    if (gone.length === 0) return
    const keys = new Set(gone.map(attemptText))
    const reason = new TaskerError("TASKER_TASK_CANCELLED", "the step was cancelled, or given to another worker")
    for (const lane of lanes) lane.abort(reason, (key) => keys.has(attemptText(key)))
  }

  async #rescue(connection: Connection): Promise<void> {
    const { changes, logger, onRescued, tell } = this.#options
    const rescues = await observedChange(connection, changes, rescueSteps)
    for (const rescue of rescues) {
      if (rescue.steps > 0) logger.warn({ ...rescue }, "took back the steps of a lost worker")
      else logger.info({ ...rescue }, "a worker was lost that held no steps")
      tell.rescued(rescue.workerId, rescue.steps)
    }
    if (rescues.some((rescue) => rescue.steps > 0)) onRescued()
  }
}
