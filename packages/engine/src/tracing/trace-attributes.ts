/** What the reference says of an attribute. */
export interface TraceAttribute {
  readonly type: "string" | "int" | "boolean"
  /** The spans, or the events of spans, that carry it. */
  readonly on: string
  readonly meaning: string
}

/** Every attribute of the engine's own, on spans and their events. `docs/reference/traces.md` is generated from this. */
export const TRACE_ATTRIBUTES = Object.freeze({
  "tasker.workflow.namespace": string("every `tasker.` span", "the namespace of the task's workflow"),
  "tasker.workflow.name": string("every `tasker.` span", "its name"),
  "tasker.workflow.version": string("every `tasker.` span", "its version, as the task is pinned to it"),
  "tasker.task.id": string("every `tasker.` span but `tasker.tasks.create`", "the task"),
  "tasker.task.correlation_id": string(
    "`tasker.task`, `tasker.step`",
    "the creator's correlation id without its secrets, or the task's id",
  ),
  "tasker.task.created": flag("`tasker.task.create`", "false when a task stood under the same identity: that one"),
  "tasker.task.count": int("`tasker.tasks.create`", "how many tasks the call asked for"),
  "tasker.task.outcome": string("`tasker.task`", "`complete`, `error`, `cancelled` or `resolved_manually`"),
  "tasker.task.wait_ms": int("`tasker.task`", "from its creation until its first step was claimed"),
  "tasker.parent.task.id": string("`tasker.task.create`", "the task whose step created this one"),
  "tasker.parent.step.name": string("`tasker.task.create`", "that step"),
  "tasker.step.name": string("`tasker.step`", "the step"),
  "tasker.step.attempt": int("`tasker.step`", "which attempt this is, from 1"),
  "tasker.step.max_attempts": int("`tasker.step`", "how many attempts the step has in all"),
  "tasker.step.queue": string("`tasker.step`", "the queue that the step was in"),
  "tasker.step.wait_ms": int("`tasker.step`", "how long the step was due before it was claimed"),
  "tasker.step.outcome": string(
    "`tasker.step`",
    "what the attempt made of the step: `complete`, `waiting_for_retry`, `error` or `skipped`; or what kept it from that:"
      + " `aborted` (cancelled, stopped, or the lease was lost), `fenced` (the step was cancelled, or given to another"
      + " worker, before the outcome came, which was refused), `unrecorded` (the worker ended without an answer from the database)",
  ),
  "tasker.retry.delay_ms": int("event `tasker.retry_scheduled`", "how long the next attempt waits"),
  "tasker.retry.due_at": string("event `tasker.retry_scheduled`", "when it is due, as ISO 8601, by the worker's clock"),
  "tasker.abort.reason": string("event `tasker.step_aborted`", "why"),
  "tasker.worker.id": int(
    "`tasker.step`, `tasker.task`",
    "the worker that ran the attempt, or the one that ended the task",
  ),
})

function string(on: string, meaning: string): TraceAttribute {
  return Object.freeze({ type: "string" as const, on, meaning })
}

function int(on: string, meaning: string): TraceAttribute {
  return Object.freeze({ type: "int" as const, on, meaning })
}

function flag(on: string, meaning: string): TraceAttribute {
  return Object.freeze({ type: "boolean" as const, on, meaning })
}

/** The name of an attribute of the engine's own. */
export type TraceAttributeName = keyof typeof TRACE_ATTRIBUTES

/** Attributes by their names, so that none is made up. */
export type TraceAttributes = { [Name in TraceAttributeName]?: string | number | boolean }
