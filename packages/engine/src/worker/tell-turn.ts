import { stateAfter } from "../core/outcome-state.ts"
import type { CustomEventName, EventName } from "../core/events/event-map.ts"
import type { EventError, StepChange } from "../core/events/event-payloads.ts"
import { type EventSink, wantsAny } from "../core/events/event-sink.ts"
import { eventsOfTransition, type TransitionFacts } from "../core/events/transition-event.ts"
import type { Advanced, ClaimedStep, EndedTask, Outcome } from "../store/advance.ts"
import { attemptText } from "../store/attempt.ts"
import type { StepSpan } from "../tracing/step-span.ts"
import type { FindStep, ServedStep } from "./served-workflows.ts"

/** An outcome that a call recorded or was refused, and what it is of. */
export interface Settled {
  readonly outcome: Outcome
  readonly claimed: ClaimedStep
  /** Undefined when this process does not know the step: a defect, and there is nothing to tell. */
  readonly served: ServedStep | undefined
  /** What the handler took; `null` when it was not called. */
  readonly durationMs: number | null
  /** Undefined without tracing. */
  readonly span: StepSpan | undefined
}

/** One call of `advance`, seen from the worker. */
export interface Turn {
  readonly workerId: number
  readonly settled: readonly Settled[]
  readonly advanced: Advanced
  /** How many steps the call could have given. */
  readonly room: number
  /** What the call took. */
  readonly callMs: number
}

const STEP_FAILURES: readonly EventName[] = [
  "step.failed",
  "step.timed_out",
  "observability.step.backoff",
  "observability.step.skip",
  "observability.step.max_retries_reached",
]

/** Tells what one call changed, in the order in which it happened. Without subscribers it is a few look-ups a call. */
export function tellTurn(events: EventSink, turn: Turn, findStep: FindStep): void {
  events.batch(() => {
    if (turn.settled.length > 0) tellSettled(events, turn)
    tellClaimed(events, turn, findStep)
  })
}

function tellSettled(events: EventSink, turn: Turn): void {
  const lost = new Set(turn.advanced.lost.map(attemptText))
  const isLost = ({ outcome }: Settled) => lost.has(attemptText(outcome))
  const accepted = lost.size === 0 ? turn.settled : turn.settled.filter((settled) => !isLost(settled))
  // Apart, since a log writes failures from a level on at which it does not write each step.
  const wantsCompletions = events.wants("step.completed")
  const wantsFailures = wantsAny(events, STEP_FAILURES)
  for (const settled of accepted) {
    tellPublished(events, turn.workerId, settled)
    if (settled.outcome.kind === "complete" ? wantsCompletions : wantsFailures) {
      tellEnd(events, turn.workerId, settled)
    }
  }
  if (lost.size > 0 && events.wants("step.fenced")) {
    for (const settled of turn.settled.filter(isLost)) tellFenced(events, turn.workerId, settled)
  }
  tellTasksEnded(events, turn)
  tellRecorded(events, turn, accepted)
}

/** Before the end of the attempt, as history has it. */
function tellPublished(events: EventSink, workerId: number, { outcome, claimed, served }: Settled): void {
  if (served === undefined || outcome.events === undefined) return
  for (const { name, payload } of outcome.events) {
    // Checked when it was published: none of the engine's is called so.
    if (!events.wants(name as CustomEventName)) continue
    tell(events, {
      ...factsOf(workerId, claimed, served),
      from: "in_progress",
      to: "in_progress",
      cause: "published",
      published: { name, body: payload },
    })
  }
}

function tellEnd(events: EventSink, workerId: number, settled: Settled): void {
  const { outcome, claimed, served, durationMs } = settled
  if (served === undefined) return
  if (outcome.kind === "complete") {
    events.deliver({
      name: "step.completed",
      at: new Date(),
      payload: completion(workerId, claimed, served, durationMs),
    })
    return
  }
  const { maxAttempts } = claimed
  tell(events, {
    ...factsOf(workerId, claimed, served),
    to: stateAfter(outcome.kind, { attempt: claimed.attempt, maxAttempts, skippable: served.step.spec.skippable }),
    cause: outcome.cause,
    error: errorOf(outcome.json),
    durationMs,
    delayMs: outcome.delayMs,
  })
}

/** As {@link eventsOfTransition} has it. By itself, because this is made for every step, and its facts would be copied. */
function completion(
  workerId: number,
  claimed: ClaimedStep,
  { workflow, step }: ServedStep,
  durationMs: number | null,
): StepChange {
  return {
    taskId: claimed.taskId,
    namespace: workflow.namespace,
    workflow: workflow.name,
    version: workflow.version,
    correlationId: claimed.correlationId ?? claimed.taskId,
    step: step.spec.name,
    attempt: claimed.attempt,
    from: "in_progress",
    to: "complete",
    maxAttempts: claimed.maxAttempts,
    cause: null,
    by: null,
    reason: null,
    workerId,
    durationMs,
    error: null,
  }
}

/** Tells that an outcome is not recorded, because the attempt was given to another worker. */
export function tellFenced(events: EventSink, workerId: number, { outcome, claimed, served }: Settled): void {
  if (served === undefined) return
  const { taskId, namespace, workflow, version, correlationId, step } = factsOf(workerId, claimed, served)
  events.publish("step.fenced", {
    taskId,
    namespace,
    workflow,
    version,
    correlationId,
    step,
    attempt: claimed.attempt,
    workerId,
    outcome: outcome.kind,
  })
}

/** A task that ended, and the attempt that ended it. */
interface TaskEnd {
  readonly ended: EndedTask
  readonly claimed: ClaimedStep
  readonly served: ServedStep
}

/** The tasks that a call ended: each with one of its steps. */
export function taskEnds({ advanced, settled }: Turn): readonly TaskEnd[] {
  if (advanced.ended.length === 0) return []
  const ends: TaskEnd[] = []
  const byId = new Map(advanced.ended.map((ended) => [ended.taskId, ended]))
  for (const { claimed, served } of settled) {
    const ended = byId.get(claimed.taskId)
    if (ended === undefined || served === undefined) continue
    ends.push({ ended, claimed, served })
    // Several of its steps may have ended in this call.
    byId.delete(claimed.taskId)
  }
  return ends
}

function tellTasksEnded(events: EventSink, turn: Turn): void {
  if (!wantsAny(events, ["task.completed", "task.failed"])) return
  for (const { ended, claimed, served } of taskEnds(turn)) {
    tell(events, {
      ...factsOf(turn.workerId, claimed, served),
      step: null,
      to: ended.state,
      attempt: null,
      maxAttempts: null,
      // Both are cut to milliseconds: of what took less, the one may lie behind the other.
      durationMs: Math.max(0, ended.finishedAt.getTime() - ended.startedAt.getTime()),
    })
  }
}

function tellRecorded(events: EventSink, { workerId, advanced, callMs }: Turn, accepted: readonly Settled[]): void {
  if (!events.wants("workflow.steps_execution_completed")) return
  const countOf = (kind: Outcome["kind"]) => accepted.filter(({ outcome }) => outcome.kind === kind).length
  events.publish("workflow.steps_execution_completed", {
    workerId,
    completeCount: countOf("complete"),
    retryCount: countOf("retry"),
    errorCount: countOf("error"),
    lostCount: advanced.lost.length,
    durationMs: callMs,
  })
}

function tellClaimed(events: EventSink, { workerId, advanced, room }: Turn, findStep: FindStep): void {
  const { claimed } = advanced
  if (claimed.length === 0) {
    if (room > 0 && events.wants("workflow.no_viable_steps")) {
      events.publish("workflow.no_viable_steps", { workerId, room })
    }
    return
  }
  if (wantsAny(events, ["task.start_requested", "step.execution_requested"])) {
    for (const step of claimed) {
      const served = findStep(step.workflowId, step.stepNo)
      if (served !== undefined) tellStart(events, workerId, step, served)
    }
  }
  if (events.wants("workflow.viable_steps_discovered")) {
    events.publish("workflow.viable_steps_discovered", { workerId, count: claimed.length, room })
  }
}

function tellStart(events: EventSink, workerId: number, claimed: ClaimedStep, served: ServedStep): void {
  const facts = factsOf(workerId, claimed, served)
  if (claimed.startsTask) {
    tell(events, { ...facts, step: null, attempt: null, maxAttempts: null, from: "pending", to: "in_progress" })
  }
  tell(events, { ...facts, from: claimed.from, to: "in_progress" })
}

/**
 * What is known of an attempt; the rest says nothing happened yet.
 *
 * With every field that there is, because callers spread it: a field more after a spread gives the object a dictionary,
 * which takes V8 10 µs.
 */
function factsOf(workerId: number, claimed: ClaimedStep, { workflow, step }: ServedStep): TransitionFacts & StepName {
  return {
    taskId: claimed.taskId,
    namespace: workflow.namespace,
    workflow: workflow.name,
    version: workflow.version,
    correlationId: claimed.correlationId ?? claimed.taskId,
    at: new Date(),
    step: step.spec.name,
    from: "in_progress",
    to: "in_progress",
    attempt: claimed.attempt,
    maxAttempts: claimed.maxAttempts,
    workerId,
    cause: null,
    by: null,
    reason: null,
    error: null,
    durationMs: null,
    delayMs: null,
    published: null,
  }
}

interface StepName {
  readonly step: string
}

function tell(events: EventSink, facts: TransitionFacts): void {
  for (const event of eventsOfTransition(facts)) events.deliver(event)
}

function errorOf(json: string | null): EventError | null {
  if (json === null) return null
  // It was written by `stepError`, which gives it these fields.
  const { name, code, message } = JSON.parse(json) as EventError
  return { name, code, message }
}
