/** What the catalogue says of a metric. */
export interface MetricEntry {
  readonly name: `tasker_${string}`
  readonly type: "counter" | "gauge" | "histogram"
  /** One sentence, without a full stop. */
  readonly help: string
  readonly labels: readonly LabelName[]
  /** How the gauges of several processes, or of names beyond the limit, make one. Default: the sum. */
  readonly combine?: "max"
  /**
   * `process`: what this process did; the sum over processes is the system's. `system`: what the database says, so every
   * process tells the same.
   */
  readonly scope: "process" | "system"
}

/** What tells the series of one metric apart. */
export type LabelName =
  | "namespace"
  | "workflow"
  | "step"
  | "outcome"
  | "queue"
  | "state"
  | "worker"
  | "operation"
  | "subscriber"
  | "subscription"
  | "reason"
  | "what"
  | "format"
  | "invariant"
  | "metric"

/** Labels whose values the engine itself gives: they are few, so that they stay as they are beyond the limit of series. */
export const BOUNDED_LABELS: ReadonlySet<LabelName> = new Set(["outcome", "state", "reason", "what"])

/** Every metric, in the order in which the reference lists them. `docs/reference/metrics.md` is generated from this. */
export const METRICS = {
  tasksCreated: counter("tasker_tasks_created_total", "Tasks that were created", ["namespace", "workflow"]),
  tasksDeduplicated: counter(
    "tasker_tasks_deduplicated_total",
    "Requests for a task whose identity a task had already",
    ["namespace", "workflow"],
  ),
  tasksRefused: counter("tasker_tasks_refused_total", "Requests for a task that were refused", [
    "namespace",
    "workflow",
  ]),
  tasksEnded: counter(
    "tasker_tasks_ended_total",
    "Tasks that ended: complete, error, cancelled or resolved_manually; one that was retried ends again",
    ["namespace", "workflow", "outcome"],
  ),
  tasksReopened: counter("tasker_tasks_reopened_total", "Tasks in error that an operator made go on", [
    "namespace",
    "workflow",
  ]),
  taskDuration: histogram(
    "tasker_task_duration_seconds",
    "From the start of a task's first step to its end, by how it ended",
    ["namespace", "workflow", "outcome"],
  ),

  stepsEnded: counter(
    "tasker_steps_ended_total",
    "Steps that ended: complete, error, skipped, cancelled or resolved_manually; one that was retried by an operator ends again",
    ["namespace", "workflow", "step", "outcome"],
  ),
  stepRetries: counter("tasker_step_retries_total", "Attempts that failed and are followed by another", [
    "namespace",
    "workflow",
    "step",
  ]),
  stepTimeouts: counter("tasker_step_timeouts_total", "Attempts that took longer than their step's timeout", [
    "namespace",
    "workflow",
    "step",
  ]),
  stepsRescued: counter(
    "tasker_steps_rescued_total",
    "Steps that were taken back from a lost worker, those without an attempt left too",
    ["namespace", "workflow", "step"],
  ),
  stepsHandedBack: counter("tasker_steps_handed_back_total", "Steps that a worker gave back unfinished", [
    "namespace",
    "workflow",
    "step",
  ]),
  stepsFenced: counter(
    "tasker_steps_fenced_total",
    "Outcomes that were refused because the step was cancelled, or somebody else's by then",
    ["namespace", "workflow", "step"],
  ),
  stepsReopened: counter("tasker_steps_reopened_total", "Failed steps that an operator gave more attempts", [
    "namespace",
    "workflow",
    "step",
  ]),
  stepDuration: histogram(
    "tasker_step_duration_seconds",
    "How long attempts took, by how they ended: complete, retry, error or skipped; not those that were cancelled or lost with their worker",
    ["namespace", "workflow", "step", "outcome"],
  ),

  queueSteps: gauge(
    "tasker_queue_steps",
    "Steps in a queue that are ready or delayed, counted up to a limit, 10000 by default",
    ["queue", "state"],
    "system",
  ),
  queueOldestReady: gauge(
    "tasker_queue_oldest_ready_age_seconds",
    "For how long the oldest ready step of a queue has been due; 0 when none is ready",
    ["queue"],
    "system",
    "max",
  ),
  queuePaused: gauge("tasker_queue_paused", "1 for a queue that is paused, else 0", ["queue"], "system", "max"),
  queueLimit: gauge(
    "tasker_queue_max_running_steps",
    "How many steps of a queue may run at once; absent for a queue without a limit",
    ["queue"],
    "system",
    "max",
  ),
  queueLiveWorkers: gauge(
    "tasker_queue_live_workers",
    "Workers that serve a queue and whose lease holds",
    ["queue"],
    "system",
    "max",
  ),

  workerSlots: gauge("tasker_worker_slots", "How many steps the workers of this process run at once", ["worker"]),
  workerSlotsUsed: gauge("tasker_worker_slots_used", "How many of these slots are in use", ["worker"]),
  workerHeartbeats: counter("tasker_worker_heartbeats_total", "Times that a worker kept its lease", ["worker"]),
  workerDisconnections: counter("tasker_worker_disconnections_total", "Times that a call of a worker failed", [
    "worker",
  ]),
  workerLeasesLost: counter("tasker_worker_leases_lost_total", "Times that a worker of this process lost its lease", [
    "worker",
  ]),
  workersLost: counter("tasker_workers_lost_total", "Lost workers that a worker of this process found", []),

  databaseCallDuration: histogram(
    "tasker_database_call_duration_seconds",
    "How long calls of the database took, by what they call (a function of the schema, begin, commit, rollback, or other) and whether they were answered: ok or failed",
    ["operation", "outcome"],
  ),
  listenerRestored: counter(
    "tasker_database_listener_restored_total",
    "Times that the connection that hears notifications was lost and came back",
    [],
  ),

  subscriberFailures: counter("tasker_subscriber_failures_total", "Events that a subscriber threw or timed out over", [
    "subscriber",
    "reason",
  ]),
  subscriberDrops: counter(
    "tasker_subscriber_dropped_events_total",
    "Events that a subscriber never got because it was too slow",
    ["subscriber"],
  ),
  subscriptionFailures: counter(
    "tasker_subscription_failures_total",
    "Times that the handler of a durable subscription threw",
    ["subscription"],
  ),
  exports: counter("tasker_exports_total", "Exports that were completed or failed", ["what", "format", "outcome"]),
  violations: counter("tasker_invariant_violations_total", "What verify found that the invariants forbid", [
    "invariant",
  ]),

  capped: counter(
    "tasker_metrics_capped_total",
    'Values that were counted under "other" because their metric has as many series as it may',
    ["metric"],
  ),
  collectFailures: counter(
    "tasker_metrics_collect_failures_total",
    "Scrapes without the gauges of queues because the database did not answer in time",
    [],
  ),
} as const satisfies Readonly<Record<string, MetricEntry>>

/** In seconds. Steps take from milliseconds, of a query, to minutes, of a slow service. */
export const STEP_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
]

/** In seconds. Tasks wait between their steps, so they may take hours. */
export const TASK_BUCKETS: readonly number[] = [
  0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400,
]

/** In seconds. */
export const DATABASE_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

type Name = MetricEntry["name"]
type Labels = readonly LabelName[]

function counter(name: Name, help: string, labels: Labels): MetricEntry {
  return Object.freeze({ name, type: "counter", help, labels, scope: "process" } as const)
}

function histogram(name: Name, help: string, labels: Labels): MetricEntry {
  return Object.freeze({ name, type: "histogram", help, labels, scope: "process" } as const)
}

function gauge(
  name: Name,
  help: string,
  labels: Labels,
  scope: MetricEntry["scope"] = "process",
  combine?: "max",
): MetricEntry {
  return Object.freeze({
    name,
    type: "gauge",
    help,
    labels,
    scope,
    ...(combine === undefined ? {} : { combine }),
  } as const)
}
