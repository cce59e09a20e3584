import { hostname } from "node:os"
import type { Database } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { ChangeWatch } from "../core/events/change-watch.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { Hints } from "../core/hints.ts"
import { createLimiter, type Limiter } from "../core/limiter.ts"
import type { Logger } from "../core/logger.ts"
import type { Redactor } from "../core/redact.ts"
import type { WorkerVitals } from "../core/worker-vitals.ts"
import type { Advanced } from "../store/advance.ts"
import { observedChange } from "../store/observed-change.ts"
import { registerWorker } from "../store/register-worker.ts"
import { stopWorker } from "../store/stop-worker.ts"
import { Alarm } from "./alarm.ts"
import { Lane } from "./lane.ts"
import type { Notifier } from "./notifier.ts"
import { Pulse } from "./pulse.ts"
import { Recovery } from "./recovery.ts"
import type { StepRunner } from "./attempt.ts"
import { indexSteps, type ServedWorkflow } from "./served-workflows.ts"
import { tellWorker, type WorkerTeller } from "./tell-worker.ts"
import { checkStopOptions, type StopOptions } from "./worker-options.ts"

/** How long a stopping worker waits for the database to record what has ended, and for each answer after that. */
const RECORDING_MS = 5_000

/** How a worker works. */
export interface WorkerSettings {
  readonly name: string
  readonly concurrency: number
  readonly lanes: number
  readonly leaseMs: number
  readonly pollMs: number
  /** Undefined serves every queue of the workflows. */
  readonly queues: readonly string[] | undefined
  readonly maxTransactions: number
  readonly resultBytes: number
}

/** What a worker needs of its process. */
export interface WorkerRooms {
  readonly database: Database
  readonly logger: Logger
  /** Takes secrets out of the errors that are stored. */
  readonly redact: Redactor
  readonly hints: Hints
  readonly events: EventSink
  /** Told what changes that is no turn of a lane. */
  readonly changes: ChangeWatch
  readonly notifier: Notifier
  readonly workflows: readonly ServedWorkflow[]
}

/**
 * Claims ready steps and runs their handlers, until it is stopped.
 *
 * States: starting, then running; `stop()` makes it stopping (it claims no more,
 * and waits for what runs), then stopped. While it runs, a failed call makes it
 * recover, and a lost lease makes it start anew under another id; lanes wait then.
 */
export class Worker {
  readonly #rooms: WorkerRooms
  readonly #settings: WorkerSettings
  readonly #routes: readonly number[]
  readonly #lanes: readonly Lane[]
  readonly #recovery: Recovery
  readonly #pulse: Pulse
  readonly #poll: Alarm
  readonly #limitTransactions: Limiter
  readonly #tell: WorkerTeller
  readonly #unsubscribe: (() => void)[] = []
  #workerId = 0
  #runningLanes = 0
  #isStopped = false
  #starting: Promise<void> | undefined
  #loops: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined
  #onIdle: () => void = () => {}

  constructor(rooms: WorkerRooms, settings: WorkerSettings) {
    this.#rooms = rooms
    this.#settings = settings
    this.#routes = servedRoutes(rooms.workflows, settings.queues)
    this.#limitTransactions = createLimiter(settings.maxTransactions)
    this.#lanes = this.#createLanes()
    const { changes, database, logger, redact } = rooms
    const workerId = () => this.#workerId
    this.#tell = tellWorker(rooms.events, () => ({ workerId: this.#workerId, worker: settings.name }))
    const common = { changes, database, logger, redact, lanes: this.#lanes, workerId, tell: this.#tell }
    this.#recovery = new Recovery({ ...common, register: () => this.#register(), onRecovered: () => this.wake() })
    this.#pulse = new Pulse({
      ...common,
      intervalMs: settings.leaseMs / 3,
      onRescued: () => this.#announce("ready"),
      onFailure: (error) => this.#recovery.start(error),
    })
    this.#poll = new Alarm(() => {
      this.#poll.setWithin(withJitter(settings.pollMs))
      this.wake()
    })
  }

  /** Makes the worker known, and lets it run. May be called twice. */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { hints } = this.#rooms
    await this.#register()
    this.#loops = Promise.all(this.#lanes.map((lane) => this.#runLane(lane)))
    this.#unsubscribe.push(
      hints.on("ready", () => this.wake()),
      hints.on("cancelled", () => this.#pulse.beat()),
    )
    this.#pulse.start()
    const { concurrency, leaseMs, queues } = this.#settings
    // A copy of the user's list: events are frozen.
    const served = queues === undefined ? null : [...queues]
    this.#tell.started({ host: hostname(), pid: process.pid, concurrency, leaseMs, queues: served })
    this.#poll.setWithin(0)
  }

  /** The id it has now. It gets another when its lease was lost. */
  get workerId(): number {
    return this.#workerId
  }

  get name(): string {
    return this.#settings.name
  }

  /** How many steps it runs at once, at most. */
  get concurrency(): number {
    return this.#settings.concurrency
  }

  /** How many steps it runs now. */
  get runningCount(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.runningCount, 0)
  }

  /** How it is now. */
  get vitals(): WorkerVitals {
    return {
      workerId: this.#workerId,
      name: this.#settings.name,
      state: this.#state,
      heartbeatAgeMs: this.#pulse.ageMs,
      leaseMs: this.#settings.leaseMs,
      laneCount: this.#lanes.length,
      runningLaneCount: this.#runningLanes,
      concurrency: this.#settings.concurrency,
      runningStepCount: this.runningCount,
    }
  }

  get #state(): WorkerVitals["state"] {
    if (this.#isStopped) return "stopped"
    if (this.#stopping !== undefined) return "stopping"
    if (this.#recovery.underWay !== undefined) return "recovering"
    return this.#workerId === 0 ? "starting" : "running"
  }

  /** How many connections it holds: one for each lane, one for the heartbeat; none once it stops. */
  get connectionCount(): number {
    return this.#stopping === undefined ? this.#lanes.length + 1 : 0
  }

  /** Looks for ready steps now instead of at the next poll. */
  wake(): void {
    // The lane with the most room takes all that there is, or wakes the next when it is full.
    const [roomiest] = this.#lanes.toSorted((a, b) => b.room - a.room)
    roomiest?.wake()
  }

  /**
   * Claims no more, waits for what runs, and hands back the rest. May be called
   * twice. A database that is away does not make it fail: the lease gives the steps
   * back then.
   *
   * @throws TaskerError `TASKER_OPTION_INVALID` when `timeoutMs` is out of its range
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkStopOptions("stop", options)
    this.#stopping ??= this.#stop(options.timeoutMs ?? 30_000).finally(() => (this.#isStopped = true))
    await this.#stopping
  }

  async #stop(timeoutMs: number): Promise<void> {
    // Whoever started it is told why it failed.
    await this.#starting?.catch(() => {})
    this.#tell.stopping()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#poll.stop()
    for (const lane of this.#lanes) lane.stopClaiming()
    await this.#idle(timeoutMs)
    const reason = new TaskerError("TASKER_CLOSED", "the worker stopped before the step ended")
    for (const lane of this.#lanes) lane.giveUp(reason)
    // What ended in time is recorded, not run again, if the database answers.
    await this.#idle(RECORDING_MS)
    for (const lane of this.#lanes) lane.stop()
    this.#recovery.stop()
    this.#pulse.stop()
    try {
      // A network that went silent answers neither: then closing the database cuts the connections.
      await within(this.#loops, RECORDING_MS)
      const { changes, database } = this.#rooms
      const stopped = observedChange(database, changes, (db) => stopWorker(db, this.#workerId))
      const handedBack = await within(stopped, RECORDING_MS)
      if (handedBack > 0)
        this.#rooms.logger.warn(
          { workerId: this.#workerId, steps: handedBack },
          "handed back steps that did not end in time",
        )
      this.#tell.stopped(handedBack)
    } catch (error) {
      this.#tell.stopped(null)
      this.#rooms.logger.warn(
        { workerId: this.#workerId, error: String(error) },
        "the database is away; the lease gives the steps back",
      )
    }
  }

  async #runLane(lane: Lane): Promise<void> {
    this.#runningLanes += 1
    try {
      await lane.run()
    } finally {
      this.#runningLanes -= 1
    }
  }

  async #idle(timeoutMs: number): Promise<void> {
    if (this.#lanes.every((lane) => lane.isIdle)) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onIdle = () => {
        if (!this.#lanes.every((lane) => lane.isIdle)) return
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #register(): Promise<void> {
    const { name, concurrency, leaseMs } = this.#settings
    const calledAt = performance.now()
    this.#workerId = await registerWorker(this.#rooms.database, {
      name,
      host: hostname(),
      pid: process.pid,
      concurrency,
      routes: this.#routes,
      leaseMs,
    })
    this.#pulse.renewed(calledAt)
  }

  #createLanes(): readonly Lane[] {
    const { database, workflows } = this.#rooms
    const laneCount = Math.min(this.#settings.lanes, this.#settings.concurrency)
    const findStep = indexSteps(workflows)
    return shares(this.#settings.concurrency, laneCount).map(
      (capacity) =>
        new Lane({
          database,
          capacity,
          events: this.#rooms.events,
          changes: this.#rooms.changes,
          findStep,
          routes: this.#routes,
          runner: () => this.#runner(),
          recovery: () => this.#recovery.underWay,
          onAdvanced: (advanced, room) => this.#handle(advanced, room),
          onFailure: (error, lane, outcomes) => this.#recovery.start(error, { lane, outcomes }),
          onIdle: () => this.#onIdle(),
        }),
    )
  }

  #runner(): StepRunner {
    return {
      database: this.#rooms.database,
      logger: this.#rooms.logger,
      events: this.#rooms.events,
      redact: this.#rooms.redact,
      resultBytes: this.#settings.resultBytes,
      limitTransactions: this.#limitTransactions,
      workerId: this.#workerId,
    }
  }

  #handle(advanced: Advanced, room: number): void {
    if (advanced.moved) this.#announce("moved")
    if (advanced.ended.length > 0) {
      const taskIds = advanced.ended.map(({ taskId }) => taskId)
      this.#announce("ended", taskIds)
    }
    if (advanced.queuedCount > 0) this.#announce("ready")
    else if (room > 0 && advanced.claimed.length >= room) this.wake()
    if (advanced.nextMs !== null) this.#poll.setWithin(advanced.nextMs)
  }

  #announce(hint: "ready" | "ended" | "moved", taskIds?: readonly string[]): void {
    this.#rooms.hints.emit(hint, taskIds)
    this.#rooms.notifier.notify(hint)
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function servedRoutes(workflows: readonly ServedWorkflow[], queues: readonly string[] | undefined): readonly number[] {
  return workflows
    .flatMap((served) => served.routes)
    .filter((route) => queues === undefined || queues.includes(route.queue))
    .map((route) => route.routeId)
}

/** Splits a whole number into nearly equal parts. */
function shares(total: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_part, index) => Math.floor((total + index) / count))
}

/** Ten percent more or less, so that workers that started together do not poll together. */
function withJitter(ms: number): number {
  return ms * (0.9 + 0.2 * Math.random())
}
