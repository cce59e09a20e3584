import { boundLogger, type Logger } from "../core/logger.ts"
import { stepResults } from "../core/step-results.ts"
import type { AnyStepContext } from "../core/workflow.ts"
import type { ClaimedStep } from "../store/advance.ts"
import type { StepSpan } from "../tracing/step-span.ts"
import type { ServedStep } from "./served-workflows.ts"

/** The signal of one attempt. Most handlers never ask for theirs, so it is made when they do. */
export class AttemptSignal {
  #controller: AbortController | undefined
  #reason: unknown
  #isAborted = false

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}

/** What only this attempt's handler is given: `tx` when its step is transactional. */
export interface AttemptTools extends Pick<AnyStepContext, "publish" | "tx"> {
  /** Says in log lines which trace they belong to; undefined without tracing. */
  readonly span: StepSpan | undefined
}

/** What a handler is given. */
export function stepContext(
  claimed: ClaimedStep,
  served: ServedStep,
  attemptSignal: AttemptSignal,
  logger: Logger,
  { publish, tx, span }: AttemptTools,
): AnyStepContext {
  const { workflow, step } = served
  // Null when every parent was skipped; false never gets here.
  const results = claimed.results || {}
  const context: AnyStepContext = {
    input: claimed.input,
    results: stepResults(step.spec.dependsOn, (name) => results[served.parents.get(name) ?? ""]),
    config: step.config,
    attempt: claimed.attempt,
    maxAttempts: claimed.maxAttempts,
    get signal() {
      return attemptSignal.signal
    },
    taskId: claimed.taskId,
    stepName: step.spec.name,
    workflow: { namespace: workflow.namespace, name: workflow.name, version: workflow.version },
    correlationId: claimed.correlationId,
    idempotencyKey: `${claimed.taskId}:${step.spec.name}`,
    get log() {
      return stepLogger(logger, claimed, served, span)
    },
    publish,
  }
  // No spread: each field beside one costs V8 a µs, and this is done for each step.
  return tx === undefined ? context : Object.assign(context, { tx })
}

function stepLogger(
  logger: Logger,
  claimed: ClaimedStep,
  { workflow, step }: ServedStep,
  span: StepSpan | undefined,
): Logger {
  const fields = {
    component: "handler",
    namespace: workflow.namespace,
    workflow: workflow.name,
    version: workflow.version,
    step: step.spec.name,
    attempt: claimed.attempt,
    ...span?.ids(),
  }
  // Whatever a handler says, its lines are found with those of its task.
  return boundLogger(logger, fields, { correlationId: claimed.correlationId, taskId: claimed.taskId })
}
