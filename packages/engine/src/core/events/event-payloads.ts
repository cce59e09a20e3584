import type { StepState, TaskState } from "../state.ts"

/** Which task an event is about. */
export interface TaskFacts extends WorkflowFacts {
  readonly taskId: string
  /** Given by the caller, or the task's id. */
  readonly correlationId: string
}

export interface WorkflowFacts {
  readonly namespace: string
  /** The workflow's name. */
  readonly workflow: string
  readonly version: string
}

/** Which attempt of which step an event is about. */
export interface StepFacts extends TaskFacts {
  readonly step: string
  /** From 1; `null` when the step was never started. */
  readonly attempt: number | null
}

/** What failed, without its stack. Secrets are taken out. */
export interface EventError {
  readonly name: string
  readonly code: string | null
  readonly message: string
}

/** A change of a task's state. `paused` and `resumed` leave it as it is: `from` equals `to`. */
export interface TaskChange extends TaskFacts {
  readonly from: TaskState | null
  readonly to: TaskState
  /** Why, in one word, such as `retried`. */
  readonly cause: string | null
  /** Who did it, when it was a person or a program. */
  readonly by: string | null
  readonly reason: string | null
  /** The worker that did it. */
  readonly workerId: number | null
  /** For a task that ended: from its first step's start to its end, in milliseconds, by the database's clock. */
  readonly durationMs: number | null
}

/** A change of a step's state. */
export interface StepChange extends StepFacts {
  readonly from: StepState
  readonly to: StepState
  /** How many attempts the step has; more than its workflow says once an operator retried it. */
  readonly maxAttempts: number
  /** Why, in one word: `timeout`, `worker_lost`, `handed_back`, `retried`, `bypassed`, `skipped`, `resolved`, `hastened`. */
  readonly cause: string | null
  readonly by: string | null
  readonly reason: string | null
  readonly workerId: number | null
  /**
   * For an attempt that ended: how long it took, in milliseconds. In the process that ran it, what its handler took, by
   * that process's monotonic clock; in the feed, from its claim to its record, by the database's clock.
   */
  readonly durationMs: number | null
  readonly error: EventError | null
}

/** An attempt failed, and another follows. */
export interface StepBackoff extends StepChange {
  /** When the next attempt is due; `null` where it is not known any more. */
  readonly delayMs: number | null
}

/** A handler is about to be called. Nothing is recorded by that. */
export interface HandlerCall extends StepFacts {
  readonly workerId: number
}

/** A handler ended. What it returned is not recorded yet, and may be refused. */
export interface HandlerEnd extends HandlerCall {
  readonly outcome: "returned" | "threw" | "timed_out"
  readonly durationMs: number
}

/** An answer counts for nothing, because the step was cancelled, or given to another worker meanwhile. */
export interface FencedOutcome extends StepFacts {
  readonly workerId: number
  readonly outcome: "complete" | "retry" | "error"
}

/** A request for a task that did not become one. */
export interface RefusedTask extends WorkflowFacts {
  readonly correlationId: string | null
  readonly error: EventError
}

/** A request whose task was there already. */
export type DeduplicatedTask = TaskFacts

/** A call of a worker that was given steps to run. */
export interface ClaimedSteps {
  readonly workerId: number
  readonly count: number
  /** How many it could have run. */
  readonly room: number
}

/** A call of a worker that looked for steps and found none. */
export interface NothingToClaim {
  readonly workerId: number
  readonly room: number
}

/** A call of a worker that recorded how attempts ended. */
export interface RecordedOutcomes {
  readonly workerId: number
  readonly completeCount: number
  readonly retryCount: number
  readonly errorCount: number
  /** How many of them were refused. */
  readonly lostCount: number
  /** What the call took, in milliseconds. */
  readonly durationMs: number
}

export interface StoredWorkflowFacts extends WorkflowFacts {
  readonly stepCount: number
}

/** A check of the invariants found something that must not be. */
export interface InvariantViolation {
  readonly invariant: string
  readonly taskId: string
  readonly message: string
}

export interface WorkerFacts {
  readonly workerId: number
  /** The worker's name. */
  readonly worker: string
}

export interface StartedWorker extends WorkerFacts {
  readonly host: string
  readonly pid: number
  readonly concurrency: number
  readonly leaseMs: number
  /** `null`: every queue of its workflows. */
  readonly queues: readonly string[] | null
}

export interface StoppedWorker extends WorkerFacts {
  /** Steps that did not end in time, and were handed back. `null`: the database was away. */
  readonly handedBackCount: number | null
}

export interface WorkerBeat extends WorkerFacts {
  readonly runningCount: number
  readonly room: number
  /** What the heartbeat's call took, in milliseconds. */
  readonly durationMs: number
}

/** The lease of a worker ran out. Its steps were taken back by the worker that says so. */
export interface LostWorker {
  readonly workerId: number
  readonly stepCount: number
  readonly rescuedBy: number
}

export interface WorkerTrouble extends WorkerFacts {
  readonly error: EventError
}

export interface RecoveredWorker extends WorkerFacts {
  /** How long it made no call, in milliseconds. */
  readonly durationMs: number
}

export interface QueueChange {
  readonly queue: string
  readonly by: string | null
  readonly reason: string | null
}

export interface QueueLimit {
  readonly queue: string
  /** `null`: no limit any more. */
  readonly maxRunning: number | null
}

export interface DatabaseFacts {
  readonly kind: "postgres" | "embedded" | "pglite"
  /** Without any password. */
  readonly url: string
}

export interface MigratedDatabase extends DatabaseFacts {
  /** The migrations that were applied, in order. */
  readonly migrations: readonly string[]
  readonly durationMs: number
}

/** An operation on one of the registries. */
export interface RegistryChange {
  /** `handler`s by `namespace/name@version`, plugins and subscribers by name. */
  readonly key: string
  /** The file that it came from; `null` when it was registered in code. */
  readonly source: string | null
  readonly correlationId: string | null
}

/** Something that a registry did not take. */
export interface RegistryRefusal {
  /** As far as it has a name. */
  readonly key: string | null
  readonly source: string | null
  /** Why: misshapen, or another one stands under its key. */
  readonly code: string
  /** Every member that is missing or misshapen, or the conflict. */
  readonly problems: readonly string[]
  readonly correlationId: string | null
}

export interface Discovery {
  readonly kind: "handler" | "plugin" | "subscriber"
  readonly folder: string
  /** Keys, in the order in which they were registered. */
  readonly registered: readonly string[]
  readonly failures: readonly { readonly file: string; readonly code: string; readonly message: string }[]
  readonly durationMs: number
  readonly correlationId: string | null
}

export interface SubscriberTrouble {
  readonly subscriber: string
  /** The event that it was given. */
  readonly event: string
  readonly error: EventError
}

export interface SubscriberOverflow {
  readonly subscriber: string
  /** How many events it never got, because it was too slow. */
  readonly droppedCount: number
}

/** A durable subscription, in the process that holds it. */
export interface SubscriptionFacts {
  readonly subscription: string
}

export interface SubscriptionTrouble extends SubscriptionFacts {
  /** The name of the event. */
  readonly event: string
  /** Where the subscription stands: followed from here, the event comes. */
  readonly cursor: string
  readonly attempt: number
  readonly error: EventError
}

export interface ExportFacts {
  readonly exportId: string
  readonly format: string
  readonly exporter: string
  /** `tasks`, `steps`, `history` or `metrics`. */
  readonly what: string
}

export interface CompletedExport extends ExportFacts {
  readonly recordCount: number
  readonly bytes: number
  readonly durationMs: number
}

export interface FailedExport extends ExportFacts {
  readonly durationMs: number
  readonly error: EventError
}

/** What a handler published under a name of its own. */
export interface PublishedEvent<Body = unknown> extends StepFacts {
  readonly workerId: number | null
  /** What the handler gave, as the event's schema made it, as JSON. */
  readonly body: Body
}
