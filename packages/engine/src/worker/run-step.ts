import type { Queryable } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import { delayBeforeAttempt } from "../core/retry-policy.ts"
import type { StepTransaction } from "../core/workflow.ts"
import { type Advanced, type Outcome, advance } from "../store/advance.ts"
import type { StoredEvent } from "../store/task.ts"
import type { Attempt, StepRunner } from "./attempt.ts"
import { type HandlerEnd, HandlerRun } from "./handler-run.ts"
import { isWorthRetrying, requestedDelayMs, stepError } from "./step-error.ts"

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
 * Runs the handler of a step once. What the handler throws is an outcome.
 *
 * @param onEnd - is told once, at once if the handler returns no promise
 */
export function runStep(runner: StepRunner, attempt: Attempt, onEnd: (end: AttemptEnd) => void): void {
  if (attempt.served.step.spec.transactional) {
    void runTransactional(runner, attempt).then(onEnd)
    return
  }
  const run = new HandlerRun(runner, attempt)
  run.call(undefined, (end) => {
    const events = run.end()
    const outcome = "json" in end ? completion(attempt, end.json, events) : failureOf(runner, attempt, end.thrown)
    onEnd({ outcome, durationMs: run.durationMs })
  })
}

/** The step's own writes and the recording of its result, in one transaction. Never rejects. */
async function runTransactional(runner: StepRunner, attempt: Attempt): Promise<AttemptEnd> {
  let run: HandlerRun | undefined
  try {
    return await runner.limitTransactions(async () => {
      const current = new HandlerRun(runner, attempt)
      run = current
      return await runner.database.transaction((tx) => runInTransaction(runner, attempt, current, tx))
    })
  } catch (thrown) {
    return { outcome: failureOf(runner, attempt, thrown), durationMs: run?.durationMs ?? null }
  } finally {
    run?.end()
  }
}

async function runInTransaction(
  runner: StepRunner,
  attempt: Attempt,
  run: HandlerRun,
  tx: Queryable,
): Promise<AttemptEnd> {
  // It may have waited for a connection for so long that it is over before it began.
  attempt.attemptSignal.signal.throwIfAborted()
  const end = await new Promise<HandlerEnd>((resolve) => run.call(stepTransaction(tx), resolve))
  // Rolls back.
  if ("thrown" in end) throw end.thrown
  const outcome = completion(attempt, end.json, run.end())
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
  return { outcome, durationMs: run.durationMs, recorded: { advanced, callMs: performance.now() - calledAt } }
}

function stepTransaction(tx: Queryable): StepTransaction {
  return { query: (text, values) => tx.query(values === undefined ? { text } : { text, values }) }
}

/** No spread: each field after one costs V8 a µs, and this is done for each step. */
function completion({ claimed }: Attempt, json: string | null, events: readonly StoredEvent[] | undefined): Outcome {
  const { taskId, stepNo, attempt } = claimed
  return { taskId, stepNo, attempt, kind: "complete", json, delayMs: 0, cause: null, events }
}

function failureOf(runner: StepRunner, attempt: Attempt, thrown: unknown): Outcome {
  try {
    return failure(runner, attempt, thrown)
  } catch {
    return failure(runner, attempt, new Error("the handler threw something that cannot be read"))
  }
}

/** What a failed attempt published is not recorded: the next one publishes it again. */
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
