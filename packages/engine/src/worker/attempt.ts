import type { Database } from "../core/database.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { Limiter } from "../core/limiter.ts"
import type { Logger } from "../core/logger.ts"
import type { Redactor } from "../core/redact.ts"
import type { ClaimedStep } from "../store/advance.ts"
import type { StepSpan } from "../tracing/step-span.ts"
import type { ServedStep } from "./served-workflows.ts"
import type { AttemptSignal } from "./attempt-signal.ts"

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
