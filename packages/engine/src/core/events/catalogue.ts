import type { EventName } from "./event-map.ts"

/** What the catalogue says of an event. */
export interface EventEntry {
  readonly category:
    | "task"
    | "step"
    | "workflow"
    | "worker"
    | "queue"
    | "database"
    | "registry"
    | "subscription"
    | "export"
  /**
   * `transition`: it follows from a row of history, so the feed shows it, whoever did it; and the process that did it
   * publishes it. `process`: only subscribers in the process where it happens are told.
   */
  readonly origin: "transition" | "process"
  /** When it is published: once per occurrence, after the change is committed. */
  readonly when: string
}

/** Every event of the engine. `docs/reference/events.md` is generated from this. */
export const EVENT_CATALOGUE: Readonly<Record<EventName, EventEntry>> = Object.freeze({
  "task.initialize_requested": transition("task", "a task was created"),
  "task.start_requested": transition("task", "the first step of a task was claimed, or a task without steps began"),
  "task.completed": transition("task", "every step of a task is done: complete, skipped or resolved"),
  "task.failed": transition("task", "no step of a task can make progress, and one has failed for good"),
  "task.retry_requested": transition("task", "an operator's retry, skip or resolution made a failed task go on"),
  "task.cancelled": transition("task", "a task was cancelled"),
  "task.resolved_manually": transition("task", "an operator settled a failed task"),
  "task.paused": transition("task", "a task was paused: none of its steps is handed out"),
  "task.resumed": transition("task", "a paused task goes on"),
  "task.deduplicated": process("task", "a request had the identity key of a task that exists, and was given that one"),
  "task.refused": process("task", "a request for a task was refused: its input, its options or its workflow"),

  "step.execution_requested": transition("step", "a worker claimed a step: an attempt of it begins"),
  "step.before_handle": process("step", "a step's handler is about to be called"),
  "step.handle": process("step", "a step's handler returned, threw or ran out of time; nothing is recorded yet"),
  "step.completed": transition("step", "the result of a step is recorded"),
  "step.failed": transition("step", "a step failed for good: permanently, or with no attempt left"),
  "step.retry_requested": transition("step", "an operator gave a failed step more attempts"),
  "step.cancelled": transition("step", "a step was cancelled, with its task"),
  "step.resolved_manually": transition("step", "an operator settled a step, with a result or without"),
  "step.hastened": transition("step", "an operator cut the wait for a step's next attempt short"),
  "step.rescued": transition("step", "a step was taken back from a worker whose lease ran out, and is ready again"),
  "step.handed_back": transition("step", "a worker gave a step back: it stopped, or never heard of its claim"),
  "step.fenced": process(
    "step",
    "the answer of an attempt counts for nothing, because the step was cancelled, or is another worker's by then",
  ),
  "step.timed_out": transition(
    "step",
    "an attempt took longer than the step's timeout; what becomes of it is told too",
  ),
  "observability.step.backoff": transition("step", "an attempt failed, and another follows after a delay"),
  "observability.step.skip": transition("step", "a step was skipped: by an operator, at creation, or after it failed"),
  "observability.step.max_retries_reached": transition("step", "a step failed, and no attempt is left"),

  "workflow.viable_steps_discovered": process("workflow", "a call of a worker was given steps to run"),
  "workflow.no_viable_steps": process("workflow", "a call of a worker looked for steps, and found none"),
  "workflow.steps_execution_completed": process("workflow", "a call of a worker recorded how attempts ended"),
  "workflow.task_state_unclear": process("workflow", "verify() found something that the invariants forbid"),
  "workflow.registered": process("workflow", "the definition of a workflow was stored, at the start of a process"),
  "workflow.replaced": process("workflow", "a changed workflow took the place of its version"),

  "worker.started": process("worker", "a worker of this process is known to the database, and claims steps"),
  "worker.heartbeat": process("worker", "a worker kept its lease"),
  "worker.disconnected": process("worker", "a call of a worker failed: it settles what that left behind"),
  "worker.lease_lost": process("worker", "a worker lost its lease: it drops what it runs, and gets another id"),
  "worker.recovered": process("worker", "a worker that was disconnected goes on"),
  "worker.lost": process("worker", "this worker found the lease of another one run out, and took its steps back"),
  "worker.stopping": process("worker", "a worker claims no more, and waits for what runs"),
  "worker.stopped": process("worker", "a worker has stopped"),

  "queue.paused": process("queue", "a queue was paused by a call in this process"),
  "queue.resumed": process("queue", "a paused queue was resumed by a call in this process"),
  "queue.limited": process("queue", "the limit of a queue was set or lifted by a call in this process"),

  "database.connected": process("database", "this process is connected to its database"),
  "database.migrated": process("database", "migrations were applied at the start of this process"),
  "database.listener_restored": process("database", "the connection that hears notifications was lost, and is back"),
  "database.closed": process("database", "this process has closed its database"),

  "handler.registered": process("registry", "a workflow was added to the handler registry"),
  "handler.replaced": process("registry", "a workflow took the place of another in the handler registry"),
  "handler.unregistered": process("registry", "a workflow was removed from the handler registry"),
  "handler.validation_failed": process(
    "registry",
    "a workflow was refused: it breaks a rule, or another one has its name and version",
  ),
  "plugin.registered": process("registry", "a plugin was added"),
  "plugin.replaced": process("registry", "a plugin took the place of another"),
  "plugin.unregistered": process("registry", "a plugin was removed"),
  "plugin.validation_failed": process("registry", "a plugin was refused: it is misshapen, or another one has its name"),
  "subscriber.registered": process("registry", "a subscriber was added"),
  "subscriber.replaced": process("registry", "a subscriber took the place of another"),
  "subscriber.unregistered": process("registry", "a subscriber was removed"),
  "subscriber.validation_failed": process(
    "registry",
    "a subscriber was refused: it is misshapen, or another one has its name",
  ),
  "registry.discovery_completed": process("registry", "a folder was searched, and all that it holds is registered"),
  "registry.discovery_failed": process("registry", "a folder was searched, and some of its files could not be used"),

  "subscriber.failed": process("subscription", "a subscriber threw; the others were told all the same"),
  "subscriber.timed_out": process("subscription", "a subscriber took too long over an event; it gets the next one"),
  "subscriber.overflowed": process("subscription", "a subscriber was too slow, and missed events"),
  "subscription.claimed": process("subscription", "this process holds a durable subscription, and handles its events"),
  "subscription.released": process("subscription", "this process gave a durable subscription up, or lost it"),
  "subscription.failed": process("subscription", "the handler of a durable subscription threw; it is tried again"),
  "subscription.skipped": process(
    "subscription",
    "a durable subscription has set an event aside that failed too often",
  ),

  "tasker.telemetry.export_requested": process("export", "an export begins"),
  "tasker.telemetry.export_completed": process("export", "an export is written whole"),
  "tasker.telemetry.export_failed": process("export", "an export failed; nothing half-written is left"),
})

function transition(category: EventEntry["category"], when: string): EventEntry {
  return Object.freeze({ category, origin: "transition" as const, when })
}

function process(category: EventEntry["category"], when: string): EventEntry {
  return Object.freeze({ category, origin: "process" as const, when })
}

/** Whether a text is the name of an event of the engine. */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENT_CATALOGUE, name)
}
