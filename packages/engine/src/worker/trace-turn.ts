import type { ChangeWatch } from "../core/events/change-watch.ts"
import { stateAfter } from "../core/outcome-state.ts"
import type { ClaimedStep } from "../store/advance.ts"
import { attemptText } from "../store/attempt.ts"
import type { Recorded } from "../store/read-recorded.ts"
import { isTracing } from "../tracing/find-tracer.ts"
import type { SpanError } from "../tracing/span-error.ts"
import { type AttemptFate, silentStep, startStepSpan, type StepSpan } from "../tracing/step-span.ts"
import { isLeftOut } from "../tracing/trace-context.ts"
import { tellTracingTrouble } from "../tracing/tracing-trouble.ts"
import type { ServedStep } from "./served-workflows.ts"
import type { StepRunner } from "./attempt.ts"
import { type Settled, taskEnds, type Turn } from "./tell-turn.ts"

/** Starts the span of an attempt; `undefined` without tracing. */
export function traceAttempt(
  claimed: ClaimedStep,
  served: ServedStep,
  { workerId, redact }: StepRunner,
): StepSpan | undefined {
  if (!isTracing()) return undefined
  const { taskId, traceContext } = claimed
  if (isLeftOut(traceContext)) return silentStep(taskId, served.step.spec.name, traceContext, redact)
  const { workflow, step } = served
  try {
    const facts = {
      taskId,
      namespace: workflow.namespace,
      workflow: workflow.name,
      version: workflow.version,
      correlationId: claimed.correlationId,
      step: step.spec.name,
      attempt: claimed.attempt,
      maxAttempts: claimed.maxAttempts,
      queue: step.spec.queue,
      workerId,
      waitMs: claimed.waitMs,
      traceContext,
    }
    return startStepSpan(facts, redact)
  } catch (error) {
    tellTracingTrouble(error)
    return undefined
  }
}

/** Ends the spans of the attempts that one call settled, and tells which tasks ended by it. */
export function traceTurn(turn: Turn, { watchesEnds, onEnded }: ChangeWatch): void {
  const { settled, advanced, workerId } = turn
  const lost = advanced.lost.length === 0 ? undefined : new Set(advanced.lost.map(attemptText))
  for (const one of settled) traceEnd(one, lost?.has(attemptText(one.outcome)))
  // Under load most calls are about tasks that are all left out.
  if (!watchesEnds() || settled.every(({ claimed }) => isLeftOut(claimed.traceContext))) return
  for (const { ended, claimed, served } of taskEnds(turn)) {
    const { correlationId, traceContext } = claimed
    if (isLeftOut(traceContext)) continue
    const { taskId, state, createdAt, startedAt, finishedAt } = ended
    onEnded({
      taskId,
      namespace: served.workflow.namespace,
      workflow: served.workflow.name,
      version: served.workflow.version,
      correlationId,
      outcome: state,
      createdAt,
      startedAt,
      finishedAt,
      traceContext,
      workerId,
    })
  }
}

/** Ends the span of an attempt whose outcome was recorded, or refused. */
export function traceEnd(settled: Settled, isLost = false): void {
  if (settled.span?.isRecorded === true) settled.span.end(fateOf(settled, isLost))
}

/**
 * Ends the spans of those attempts that turned out to be recorded. What is recorded decides: a transactional step that
 * lost the answer to its commit takes it for a failure.
 */
export function traceRecorded(settled: readonly Settled[], { attempts, transitions }: Recorded): void {
  const keys = new Set(attempts.map(attemptText))
  for (const one of settled) {
    if (!keys.has(attemptText(one.outcome))) continue
    const isComplete = transitions.some(
      ({ taskId, step, attempt, from, to }) =>
        taskId === one.claimed.taskId
        && step === one.served?.step.spec.name
        && attempt === one.claimed.attempt
        && from === "in_progress"
        && to === "complete",
    )
    one.span?.end(isComplete ? { outcome: "complete" } : fateOf(one, false))
  }
}

function fateOf({ outcome, claimed, served }: Settled, isLost: boolean): AttemptFate {
  const error = outcome.kind === "complete" ? undefined : errorOf(outcome.json)
  if (isLost) return { outcome: "fenced", error }
  const { attempt, maxAttempts } = claimed
  const skippable = served?.step.spec.skippable ?? false
  return { outcome: stateAfter(outcome.kind, { attempt, maxAttempts, skippable }), error, delayMs: outcome.delayMs }
}

/** Ends the span of an attempt that is not this worker's any more. */
export function traceAbort(span: StepSpan | undefined, reason: unknown): void {
  span?.end({ outcome: "aborted", reason: reason instanceof Error ? reason.message : String(reason) })
}

/** Stored errors are ours: they have these fields. */
function errorOf(json: string | null): SpanError | undefined {
  return json === null ? undefined : (JSON.parse(json) as SpanError)
}
