import type { Database, Queryable } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import { encodeJson } from "../core/json.ts"
import type { Limiter } from "../core/limiter.ts"
import type { Logger } from "../core/logger.ts"
import type { Redactor } from "../core/redact.ts"
import { delayBeforeAttempt } from "../core/retry-policy.ts"
import type { StepTransaction } from "../core/workflow.ts"
import { type Advanced, type ClaimedStep, type Outcome, advance } from "../store/advance.ts"
import type { StepSpan } from "../tracing/step-span.ts"
import { type AttemptEvents, createAttemptEvents } from "./attempt-events.ts"
import { type HandlerWatch, watchHandler } from "./handler-watch.ts"
import type { ServedStep } from "./served-workflows.ts"
import { type AttemptSignal, stepContext } from "./step-context.ts"
import { isWorthRetrying, requestedDelayMs, stepError } from "./step-error.ts"

/** What running a step needs from its worker. */
export interface StepRunner {
  readonly database: Database
  readonly logger: Logger
  readonly events: EventSink
  readonly redact: Redactor
  readonly resultBytes: number
  /** Transactional steps hold a connection each: so many at once, or the pool runs dry. */
  readonly limitTransactions: Limiter
  /** The worker that holds the attempt. */
  readonly workerId: number
}

/** One attempt of one step. */
export interface Attempt {
  readonly claimed: ClaimedStep
  readonly served: ServedStep
  readonly attemptSignal: AttemptSignal
  /** Undefined without tracing. */
  readonly span: StepSpan | undefined
}

/** A call of `advance` that went well. */
export interface RecordedCall {
  readonly advanced: Advanced
  /** What the call took. */
  readonly callMs: number
}

/** How an attempt ended. */
export interface AttemptEnd {
  readonly outcome: Outcome
  /** What its handler took, in milliseconds; `null` when it was not called. */
  readonly durationMs: number | null
  /** The call that recorded the outcome, for a transactional step; without it, it is still to be recorded. */
  readonly recorded?: RecordedCall
}

/**
 * Runs the handler of a step once. Never rejects: what the handler throws is an
 * outcome. A handler that ignores its signal after the timeout is not waited for,
 * and what it returns then is dropped.
 */
export async function runStep(runner: StepRunner, attempt: Attempt): Promise<AttemptEnd> {
  const time: HandlerTime = { calledAt: undefined, endedAt: undefined }
  const { outcome, recorded } = await tryOnce(runner, attempt, time)
  // One that is not waited for any more has taken this long.
  const durationMs = time.calledAt === undefined ? null : (time.endedAt ?? performance.now()) - time.calledAt
  return recorded === undefined ? { outcome, durationMs } : { outcome, durationMs, recorded }
}

/** When the handler was called and when it ended, by the process's monotonic clock. */
interface HandlerTime {
  calledAt: number | undefined
  endedAt: number | undefined
}

type Ending = Omit<AttemptEnd, "durationMs">

async function tryOnce(runner: StepRunner, attempt: Attempt, time: HandlerTime): Promise<Ending> {
  try {
    if (attempt.served.step.spec.transactional) {
      return await runner.limitTransactions(() => runOnce(runner, attempt, time))
    }
    return await runOnce(runner, attempt, time)
  } catch (thrown) {
    try {
      return { outcome: failure(runner, attempt, thrown) }
    } catch {
      return { outcome: failure(runner, attempt, new Error("the handler threw something that cannot be read")) }
    }
  }
}

async function runOnce(runner: StepRunner, attempt: Attempt, time: HandlerTime): Promise<Ending> {
  const watch = watchHandler(runner.events, runner.workerId, attempt)
  const published = createAttemptEvents(attempt.served, { maxBytes: runner.resultBytes, redact: runner.redact })
  const deadline = startDeadline(attempt, () => watch.timedOut())
  const run: Run = { watch, published, deadline, time }
  try {
    if (attempt.served.step.spec.transactional) return await runInTransaction(runner, attempt, run)
    const json = await deadline.race(resultOf(runner, attempt, run))
    return { outcome: completion(attempt, json, run) }
  } finally {
    deadline.clear()
    published.end()
  }
}

/** What goes with an attempt while it runs. */
interface Run {
  readonly watch: HandlerWatch
  readonly published: AttemptEvents
  readonly deadline: Deadline
  readonly time: HandlerTime
}

/** The end of the time that one attempt has. */
interface Deadline {
  /** Settles as `work` does, or rejects when the time is over. One at a time. */
  race<T>(work: Promise<T>): Promise<T>
  clear(): void
}

/** Aborts the attempt's signal once the step's time is over. */
function startDeadline({ served, attemptSignal }: Attempt, onOver: () => void): Deadline {
  const { name, timeoutMs } = served.step.spec
  let error: TaskerError | undefined
  let giveUp: (error: TaskerError) => void = () => {}
  const timer = setTimeout(() => {
    error = new TaskerError("TASKER_STEP_TIMEOUT", `step "${name}" took longer than ${timeoutMs} ms`, {
      hint: "pass ctx.signal on to what the handler waits for, or raise timeoutMs",
    })
    onOver()
    giveUp(error)
    attemptSignal.abort(error)
  }, timeoutMs)
  return {
    race: (work) =>
      new Promise((resolve, reject) => {
        giveUp = reject
        if (error !== undefined) reject(error)
        work.then(resolve, reject)
      }),
    clear: () => clearTimeout(timer),
  }
}

async function resultOf(
  runner: StepRunner,
  attempt: Attempt,
  { watch, published, time }: Run,
  tx?: StepTransaction,
): Promise<string | null> {
  const { claimed, served, attemptSignal, span } = attempt
  const { publish } = published
  const context = stepContext(
    claimed,
    served,
    attemptSignal,
    runner.logger,
    tx === undefined ? { publish, span } : { publish, tx, span },
  )
  const handle = () => served.step.handler(context)
  time.calledAt = performance.now()
  let result: unknown
  try {
    result = await watch.run(span === undefined ? handle : () => span.run(handle))
  } finally {
    time.endedAt = performance.now()
  }
  // A transactional step's outcome is recorded, and committed, before anybody else hears of it.
  span?.stop()
  if (result === undefined) return null
  return encodeJson(result, { what: "result", maxBytes: runner.resultBytes, code: "TASKER_RESULT_INVALID" })
}

/** The step's own writes and the recording of its result, in one transaction. */
async function runInTransaction(runner: StepRunner, attempt: Attempt, run: Run): Promise<Ending> {
  return runner.database.transaction(async (tx) => {
    // It may have waited for its turn and for a connection for so long that it is over before it began.
    attempt.attemptSignal.signal.throwIfAborted()
    const json = await run.deadline.race(resultOf(runner, attempt, run, stepTransaction(tx)))
    const outcome = completion(attempt, json, run)
    const calledAt = performance.now()
    const advanced = await advance(tx, {
      workerId: runner.workerId,
      outcomes: [outcome],
      routes: [],
      room: 0,
      expected: [0, 0, 0, 0],
    })
    if (advanced.lost.length > 0) {
      throw new TaskerError("TASKER_LEASE_LOST", `step "${attempt.served.step.spec.name}" was given to another worker`)
    }
    return { outcome, recorded: { advanced, callMs: performance.now() - calledAt } }
  })
}

function stepTransaction(tx: Queryable): StepTransaction {
  return { query: (text, values) => tx.query(values === undefined ? { text } : { text, values }) }
}

/**
 * What a failed attempt published goes with it: the next one publishes it again.
 *
 * No spread: each field after one costs V8 a µs, and this is done for each step.
 */
function completion({ claimed }: Attempt, json: string | null, { published }: Run): Outcome {
  const { taskId, stepNo, attempt } = claimed
  return { taskId, stepNo, attempt, kind: "complete", json, delayMs: 0, cause: null, events: published.end() }
}

function failure({ redact }: StepRunner, attempt: Attempt, thrown: unknown): Outcome {
  const { claimed, served } = attempt
  const error = stepError(thrown, redact)
  return {
    taskId: claimed.taskId,
    stepNo: claimed.stepNo,
    attempt: claimed.attempt,
    kind: isWorthRetrying(thrown) ? "retry" : "error",
    json: JSON.stringify(error),
    delayMs: delayBeforeAttempt(claimed.attempt + 1, served.step.spec.backoff, Math.random, requestedDelayMs(thrown)),
    cause: error.code === "TASKER_STEP_TIMEOUT" ? "timeout" : null,
  }
}
