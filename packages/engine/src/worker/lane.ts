import type { Connection, Database } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { ChangeWatch } from "../core/events/change-watch.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { Priority } from "../core/workflow.ts"
import { type Advanced, type ClaimedStep, type Outcome, advance } from "../store/advance.ts"
import { type AttemptKey, attemptText } from "../store/attempt.ts"
import { readRecorded, type Recorded } from "../store/read-recorded.ts"
import type { Attempt, StepRunner } from "./attempt.ts"
import { type AttemptEnd, type RecordedCall, runStep } from "./run-step.ts"
import type { FindStep } from "./served-workflows.ts"
import { AttemptSignal } from "./attempt-signal.ts"
import { stepError } from "./step-error.ts"
import { tellRecorded } from "./tell-recorded.ts"
import { type Settled, tellFenced, tellTurn, type Turn } from "./tell-turn.ts"
import { traceAbort, traceAttempt, traceEnd, traceRecorded, traceTurn } from "./trace-turn.ts"

/** What a lane needs from its worker. */
export interface LaneOptions {
  readonly database: Database
  /** How many steps the lane runs at once. */
  readonly capacity: number
  readonly findStep: FindStep
  /** The routes that the worker serves. */
  readonly routes: readonly number[]
  readonly runner: () => StepRunner
  /** While this is there, the worker is settling what a failure left behind: no call may start. */
  readonly recovery: () => Promise<void> | undefined
  readonly events: EventSink
  /** Told what turned out to be recorded. */
  readonly changes: ChangeWatch
  /** @param room - how many steps the call could have given */
  readonly onAdvanced: (advanced: Advanced, room: number) => void
  /** A call failed. Its outcomes are back in the lane, whatever became of them in the database. */
  readonly onFailure: (error: unknown, lane: Lane, outcomes: readonly Outcome[]) => void
  /** Nothing runs, and nothing is left to record. */
  readonly onIdle: () => void
}

/** An attempt that ended, and is not recorded yet. */
interface Ended extends Settled {
  /** The priorities of the children that may become ready by it. */
  readonly heirs: readonly Priority[]
  /** The worker's id when it began. It gets another when it loses its lease. */
  readonly workerId: number
  /** Of an attempt that was aborted: it counts only if its own transaction has recorded it. */
  readonly aborted?: AttemptSignal
}

/**
 * One connection, with its share of the worker's room.
 *
 * While a call is under way the lane collects outcomes; when it returns, the next
 * call takes them all. So an idle system answers at once, and a busy one batches
 * by itself.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #attempts = new Set<Attempt>()
  /** Aborted attempts of transactional steps: their own transactions decide what becomes of them. */
  readonly #undecided = new Set<Attempt>()
  #ended: Ended[] = []
  #connection: Connection | undefined
  #isClaiming = true
  #mayClaim = false
  #isStopped = false
  #alarm: (() => void) | undefined
  #call: Promise<void> | undefined

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** How many more steps it could run. */
  get room(): number {
    return this.#isClaiming ? this.#options.capacity - this.#attempts.size : 0
  }

  get runningCount(): number {
    return this.#attempts.size
  }

  /** What the lane answers for: what runs, and what ended but is not recorded. */
  get known(): readonly AttemptKey[] {
    return [...[...this.#attempts].map(({ claimed }) => claimed), ...this.ended]
  }

  /** What ended, but is not recorded as far as the lane knows. */
  get ended(): readonly AttemptKey[] {
    return this.#ended.map(({ outcome }) => outcome)
  }

  get isIdle(): boolean {
    const hasEnded = this.#attempts.size === 0 && this.#undecided.size === 0 && this.#ended.length === 0
    return hasEnded && this.#call === undefined
  }

  /** Settles when no call is under way. */
  async settled(): Promise<void> {
    await this.#call
  }

  /** Says that steps may be ready. */
  wake(): void {
    this.#mayClaim = true
    this.#alarm?.()
  }

  /** Claims no more; goes on recording what ends. */
  stopClaiming(): void {
    this.#isClaiming = false
  }

  /** Ends the loop after the call that is under way. */
  stop(): void {
    this.#isStopped = true
    this.#alarm?.()
  }

  /** Aborts attempts and frees their room; what they return is dropped, unless it turns out to be recorded. */
  abort(reason: unknown, isAborted: (key: AttemptKey) => boolean = () => true): void {
    for (const attempt of this.#attempts) {
      if (!isAborted(attempt.claimed)) continue
      this.#attempts.delete(attempt)
      // Before its handler hears of it, which may end it at once.
      const { transactional } = attempt.served.step.spec
      if (transactional) this.#undecided.add(attempt)
      attempt.attemptSignal.abort(reason)
      if (!transactional) traceAbort(attempt.span, reason)
    }
    this.#alarm?.()
    if (this.isIdle) this.#options.onIdle()
  }

  /** Aborts everything, and drops what ended and is not recorded: none of it is the worker's any more. */
  abandon(reason: unknown): void {
    for (const ended of this.#ended) {
      if (ended.aborted !== undefined) traceAbort(ended.span, ended.aborted.signal.reason)
      else {
        traceEnd(ended, true)
        tellFenced(this.#options.events, ended.workerId, ended)
      }
    }
    this.#ended = []
    this.abort(reason)
  }

  /** Aborts everything, and waits for none of it any more: the worker stops. */
  giveUp(reason: unknown): void {
    this.abort(reason)
    this.#undecided.clear()
    if (this.isIdle) this.#options.onIdle()
  }

  /** Drops what has ended and turned out to be recorded. */
  forget(recorded: Recorded): void {
    traceRecorded(this.#ended, recorded)
    const keys = new Set(recorded.attempts.map(attemptText))
    this.#ended = this.#ended.filter(({ outcome }) => !keys.has(attemptText(outcome)))
  }

  /** Whether an outcome is still to be recorded. */
  holds(outcome: Outcome): boolean {
    return this.#ended.some((ended) => ended.outcome === outcome)
  }

  /** Puts another outcome in the place of one that the database does not take. */
  replace(outcome: Outcome, replacement: Outcome): void {
    this.#ended = this.#ended.map((ended) =>
      ended.outcome === outcome ? { ...ended, outcome: replacement, heirs: [] } : ended,
    )
  }

  /** Takes note of an outcome that was recorded by a call of its own. */
  settle(outcome: Outcome, call: RecordedCall): void {
    const settled = this.#ended.filter((ended) => ended.outcome === outcome)
    this.#ended = this.#ended.filter((ended) => ended.outcome !== outcome)
    for (const { span, aborted } of settled) if (aborted !== undefined) traceAbort(span, aborted.signal.reason)
    const own = settled.filter(({ aborted }) => aborted === undefined)
    if (own.length > 0) this.#handle({ ...call, workerId: this.#options.runner().workerId, settled: own, room: 0 })
  }

  /** Runs until `stop()`. */
  async run(): Promise<void> {
    while (true) {
      await this.#workToDo()
      for (let recovery = this.#options.recovery(); recovery !== undefined; recovery = this.#options.recovery()) {
        await recovery
      }
      if (this.#isStopped) break
      this.#call = this.#turn()
      await this.#call
      this.#call = undefined
      if (this.isIdle) this.#options.onIdle()
    }
    this.#release()
    for (const { span } of this.#ended) span?.end({ outcome: "unrecorded" })
  }

  async #workToDo(): Promise<void> {
    while (!this.#isStopped && this.#ended.length === 0 && !(this.#mayClaim && this.room > 0)) {
      await new Promise<void>((resolve) => {
        this.#alarm = resolve
      })
      this.#alarm = undefined
    }
    // What ends without waiting for anything ends in this turn of the event loop: take it all.
    await new Promise(setImmediate)
  }

  async #turn(): Promise<void> {
    const ended = this.#ended
    const { room } = this
    const outcomes = ended.map(({ outcome }) => outcome)
    this.#ended = []
    this.#mayClaim = false
    if (outcomes.length === 0 && room === 0) return
    const { database, runner, routes } = this.#options
    try {
      this.#connection ??= await database.reserve()
      const expected = expectedChildren(ended)
      const calledAt = performance.now()
      const advanced = await advance(this.#connection, {
        workerId: runner().workerId,
        outcomes,
        routes,
        room,
        expected,
      })
      const callMs = performance.now() - calledAt
      const settled = advanced.lost.length === 0 ? undefined : await this.#settledBefore(advanced.lost, ended)
      const isNew = (key: AttemptKey) => settled?.has(attemptText(key)) !== true
      this.#handle({
        workerId: runner().workerId,
        settled: settled === undefined ? ended : ended.filter(({ outcome }) => isNew(outcome)),
        advanced: {
          claimed: advanced.claimed,
          lost: settled === undefined ? advanced.lost : advanced.lost.filter(isNew),
          ended: advanced.ended,
          queuedCount: advanced.queuedCount,
          nextMs: advanced.nextMs ?? soonestRetry(outcomes),
          moved: advanced.moved,
        },
        room,
        callMs,
      })
      // An answer as full as it could be means that there may be more: room that was left for children may not have
      // been needed. So does a child that had to go through the queue.
      const isFull = room > 0 && advanced.claimed.length >= room - expected[3]
      this.#mayClaim ||= isFull || advanced.queuedCount > 0
    } catch (error) {
      this.#release()
      this.#ended = [...ended, ...this.#ended]
      this.#options.onFailure(error, this, outcomes)
    }
  }

  /**
   * Of outcomes that were refused, those of which nothing is left to tell: those that the worker had recorded itself, by
   * a commit whose answer was lost, and those of attempts that were aborted.
   */
  async #settledBefore(lost: readonly AttemptKey[], ended: readonly Ended[]): Promise<ReadonlySet<string>> {
    const { changes, database } = this.#options
    const keys = new Set(lost.map(attemptText))
    const refused = ended.filter(({ outcome }) => keys.has(attemptText(outcome)))
    const found: Recorded[] = []
    for (const workerId of new Set(refused.map((each) => each.workerId))) {
      const own = refused.filter((each) => each.workerId === workerId).map(({ outcome }) => outcome)
      found.push(await readRecorded(database, workerId, own))
    }
    // Once all was read: what fails before is asked for again, and told then.
    const before = new Set<string>()
    for (const recorded of found) {
      traceRecorded(refused, recorded)
      tellRecorded(changes, recorded)
      for (const key of recorded.attempts) before.add(attemptText(key))
    }
    for (const each of refused) {
      if (each.aborted === undefined || before.has(attemptText(each.outcome))) continue
      traceAbort(each.span, each.aborted.signal.reason)
      before.add(attemptText(each.outcome))
    }
    return before
  }

  #release(): void {
    this.#connection?.release()
    this.#connection = undefined
  }

  #handle(turn: Turn): void {
    const { changes, events, findStep, onAdvanced } = this.#options
    traceTurn(turn, changes)
    tellTurn(events, turn, findStep)
    // Before the worker looks which lane has room: an answer that is not started yet looks like room in this one, and
    // the other would never be woken.
    for (const claimed of turn.advanced.claimed) this.#start(claimed)
    onAdvanced(turn.advanced, turn.room)
  }

  #start(claimed: ClaimedStep): void {
    const served = this.#options.findStep(claimed.workflowId, claimed.stepNo)
    const runner = this.#options.runner()
    const span = served === undefined ? undefined : traceAttempt(claimed, served, runner)
    if (served === undefined || claimed.results === false) {
      const outcome = claimed.results === false ? withTooMuch(claimed) : withoutHandler(claimed)
      span?.stop()
      this.#ended.push({ outcome, claimed, served, durationMs: null, heirs: [], span, workerId: runner.workerId })
      return
    }
    const attempt: Attempt = { claimed, served, attemptSignal: new AttemptSignal(), span }
    this.#attempts.add(attempt)
    runStep(runner, attempt, (end) => this.#finish(attempt, end, runner.workerId))
  }

  #finish(attempt: Attempt, { outcome, durationMs, recorded }: AttemptEnd, workerId: number): void {
    const isRunning = this.#attempts.delete(attempt)
    const isUndecided = this.#undecided.delete(attempt)
    const { attemptSignal, claimed, served, span } = attempt
    span?.stop()
    if (recorded !== undefined) {
      const { advanced, callMs } = recorded
      const settled = [{ outcome, claimed, served, durationMs, span }]
      this.#handle({ workerId: this.#options.runner().workerId, settled, advanced, room: 0, callMs })
      // It was recorded without room, and may have freed the last slot of a limited queue.
      this.#mayClaim = true
      if (this.isIdle) this.#options.onIdle()
    } else if (isRunning) {
      const heirs = (outcome.kind === "complete" ? served.heirs : []).map((own) => own ?? claimed.priority)
      this.#ended.push({ outcome, claimed, served, durationMs, heirs, span, workerId })
    } else if (isUndecided) {
      // It may have been aborted because it was recorded, by a commit whose answer was lost since. The next call tells:
      // it is refused either way.
      this.#ended.push({ outcome, claimed, served, durationMs, heirs: [], span, workerId, aborted: attemptSignal })
    } else {
      // It is somebody else's by now. A handler that gave up did as it was told; what one did that went on may have been
      // done twice.
      traceAbort(span, attemptSignal.signal.reason)
      if (outcome.kind === "complete") {
        tellFenced(this.#options.events, workerId, { outcome, claimed, served, durationMs, span })
      }
      return
    }
    this.#alarm?.()
  }
}

/** When the first of the attempts that failed is due again. */
function soonestRetry(outcomes: readonly Outcome[]): number | null {
  const delays = outcomes.filter(({ kind }) => kind === "retry").map(({ delayMs }) => delayMs)
  return delays.length === 0 ? null : Math.min(...delays)
}

/** How many children may become ready: of priority 1, of 1 or 2, of 1 to 3, of any. */
function expectedChildren(ended: readonly Ended[]): [number, number, number, number] {
  const priorities = ended.flatMap(({ heirs }) => heirs)
  const upTo = (level: Priority) => priorities.filter((priority) => priority <= level).length
  return [upTo(1), upTo(2), upTo(3), priorities.length]
}

/** No attempt would change what the parents returned. */
function withTooMuch({ taskId, stepNo, attempt }: ClaimedStep): Outcome {
  const error = new TaskerError(
    "TASKER_RESULT_INVALID",
    "the results of the steps that it depends on exceed 256 MiB together",
  )
  return { taskId, stepNo, attempt, kind: "error", json: JSON.stringify(stepError(error)), delayMs: 0, cause: null }
}

/** A worker serves only workflows that it can run, so this is a defect; it is the step's error, not a crash. */
function withoutHandler(claimed: ClaimedStep): Outcome {
  const error = new TaskerError("TASKER_HANDLER_MISSING", `this worker has no handler for step ${claimed.stepNo}`)
  const { taskId, stepNo, attempt } = claimed
  return { taskId, stepNo, attempt, kind: "retry", json: JSON.stringify(stepError(error)), delayMs: 1_000, cause: null }
}
