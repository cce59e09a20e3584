import { TaskerError } from "../core/error.ts"
import { encodeJson } from "../core/json.ts"
import { isThenable } from "../core/thenable.ts"
import type { StepTransaction } from "../core/workflow.ts"
import type { StoredEvent } from "../store/task.ts"
import type { Attempt, StepRunner } from "./attempt.ts"
import { AttemptEvents } from "./attempt-events.ts"
import { HandlerContext } from "./handler-context.ts"
import { type HandlerWatch, watchHandler } from "./handler-watch.ts"

/** What a handler returned, as JSON (null: nothing), or what it threw. */
export type HandlerEnd = { readonly json: string | null } | { readonly thrown: unknown }

/**
 * One call of a step's handler, and the time that the attempt has.
 *
 * By callbacks, although promises would read better: each promise is made for every step, and costs more once somebody
 * uses `AsyncLocalStorage`, as OpenTelemetry does.
 */
export class HandlerRun {
  readonly #runner: StepRunner
  readonly #attempt: Attempt
  readonly #watch: HandlerWatch
  readonly #events: AttemptEvents
  readonly #timer: NodeJS.Timeout
  #settle: ((end: HandlerEnd) => void) | undefined
  #calledAt: number | undefined
  #endedAt: number | undefined

  /** The time of the attempt begins. */
  constructor(runner: StepRunner, attempt: Attempt) {
    const { step } = attempt.served
    this.#runner = runner
    this.#attempt = attempt
    this.#watch = watchHandler(runner.events, runner.workerId, attempt)
    this.#events = new AttemptEvents(attempt.served, { maxBytes: runner.resultBytes, redact: runner.redact })
    this.#timer = setTimeout(() => this.#timeOut(), step.spec.timeoutMs)
  }

  /**
   * Calls the handler. A handler that ignores its signal after the timeout is not waited for, and what it returns then
   * is dropped.
   *
   * @param tx - for a transactional step
   * @param settle - is told once how it ended, at once if the handler returns no promise
   */
  call(tx: StepTransaction | undefined, settle: (end: HandlerEnd) => void): void {
    this.#settle = settle
    try {
      const result = this.#callHandler(tx)
      if (isThenable(result)) Promise.resolve(result).then(this.#returned, this.#threw)
      else this.#returned(result)
    } catch (error) {
      this.#threw(error)
    }
  }

  /** What the handler took, in milliseconds: until now, if it is not done. `null` when it was not called. */
  get durationMs(): number | null {
    return this.#calledAt === undefined ? null : (this.#endedAt ?? performance.now()) - this.#calledAt
  }

  /** Ends the attempt: its time stands still, and it can publish nothing any more. Returns what it has published. */
  end(): readonly StoredEvent[] | undefined {
    clearTimeout(this.#timer)
    return this.#events.end()
  }

  #callHandler(tx: StepTransaction | undefined): unknown {
    const { claimed, served, attemptSignal, span } = this.#attempt
    const { publish } = this.#events
    const tools = tx === undefined ? { publish, span } : { publish, tx, span }
    const context = new HandlerContext({ claimed, served, attemptSignal, logger: this.#runner.logger, tools })
    const handle = (): unknown => served.step.handler(context)
    this.#calledAt = performance.now()
    return this.#watch.run(span === undefined ? handle : () => span.run(handle))
  }

  readonly #returned = (result: unknown): void => {
    this.#stopClocks()
    if (this.#settle === undefined) return
    let end: HandlerEnd
    try {
      end = { json: this.#encode(result) }
    } catch (thrown) {
      end = { thrown }
    }
    this.#settleWith(end)
  }

  readonly #threw = (thrown: unknown): void => {
    this.#stopClocks()
    this.#settleWith({ thrown })
  }

  /** The span's too: a transactional step is recorded, and committed, before anybody else hears of its end. */
  #stopClocks(): void {
    this.#endedAt = performance.now()
    this.#attempt.span?.stop()
  }

  #encode(result: unknown): string | null {
    if (result === undefined) return null
    return encodeJson(result, { what: "result", maxBytes: this.#runner.resultBytes, code: "TASKER_RESULT_INVALID" })
  }

  /** Aborts the attempt's signal: the step's time is over. */
  #timeOut(): void {
    const { name, timeoutMs } = this.#attempt.served.step.spec
    const error = new TaskerError("TASKER_STEP_TIMEOUT", `step "${name}" took longer than ${timeoutMs} ms`, {
      hint: "pass ctx.signal on to what the handler waits for, or raise timeoutMs",
    })
    this.#watch.timedOut()
    this.#settleWith({ thrown: error })
    this.#attempt.attemptSignal.abort(error)
  }

  #settleWith(end: HandlerEnd): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(end)
  }
}
