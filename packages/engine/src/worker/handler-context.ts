import { boundLogger, type Logger } from "../core/logger.ts"
import { stepResults } from "../core/step-results.ts"
import type { AnyStepContext, StepTransaction, WorkflowId } from "../core/workflow.ts"
import type { ClaimedStep } from "../store/advance.ts"
import type { StepSpan } from "../tracing/step-span.ts"
import type { AttemptSignal } from "./attempt-signal.ts"
import type { ServedStep } from "./served-workflows.ts"

/** What only this attempt's handler is given: `tx` when its step is transactional. */
export interface AttemptTools extends Pick<AnyStepContext, "publish" | "tx"> {
  /** Says in log lines which trace they belong to; undefined without tracing. */
  readonly span: StepSpan | undefined
}

/** The attempt that a handler is called for. */
interface ContextParts {
  readonly claimed: ClaimedStep
  readonly served: ServedStep
  readonly attemptSignal: AttemptSignal
  readonly logger: Logger
  readonly tools: AttemptTools
}

/**
 * What a handler is given.
 *
 * A class with accessors that all contexts share: a literal with accessors takes V8 2 µs, and is slow to read ever after.
 * They are the context's own, so that a copy (`{ ...context }`) has them too.
 */
export class HandlerContext implements AnyStepContext {
  readonly #parts: ContextParts
  readonly input: unknown
  readonly results: Readonly<Record<string, unknown>>
  readonly config: unknown
  readonly attempt: number
  readonly maxAttempts: number
  declare readonly signal: AbortSignal
  readonly taskId: string
  readonly stepName: string
  readonly workflow: WorkflowId
  readonly correlationId: string
  readonly idempotencyKey: string
  declare readonly log: Logger
  readonly publish: AnyStepContext["publish"]
  declare readonly tx?: StepTransaction

  constructor(parts: ContextParts) {
    const { claimed, served, tools } = parts
    const { spec } = served.step
    // Null when every parent was skipped; false never gets here.
    const results = claimed.results || {}
    this.#parts = parts
    this.input = claimed.input
    this.results = stepResults(spec.dependsOn, (name) => results[served.parents.get(name) ?? ""])
    this.config = served.step.config
    this.attempt = claimed.attempt
    this.maxAttempts = claimed.maxAttempts
    this.taskId = claimed.taskId
    this.stepName = spec.name
    this.workflow = served.workflowId
    this.correlationId = claimed.correlationId
    this.idempotencyKey = `${claimed.taskId}:${spec.name}`
    this.publish = tools.publish
    Object.defineProperty(this, "signal", HandlerContext.#signal)
    Object.defineProperty(this, "log", HandlerContext.#log)
    if (tools.tx !== undefined) this.tx = tools.tx
  }

  static readonly #signal = {
    enumerable: true,
    get(this: HandlerContext) {
      return this.#parts.attemptSignal.signal
    },
  }

  static readonly #log = {
    enumerable: true,
    get(this: HandlerContext) {
      return stepLogger(this.#parts)
    },
  }
}

function stepLogger({ logger, claimed, served: { workflow, step }, tools: { span } }: ContextParts): Logger {
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
