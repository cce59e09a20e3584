import { STEP_STATES, TASK_STATES } from "../state.ts"
import type { EventName, EventPayloads } from "./event-map.ts"
import type * as facts from "./event-payloads.ts"
import {
  anything,
  integer,
  listOf,
  number,
  objectOf,
  oneOf,
  orNull,
  type PayloadFields,
  text,
} from "./payload-field.ts"

const workflowFacts: PayloadFields<facts.WorkflowFacts> = {
  namespace: text("The namespace of the workflow."),
  workflow: text("The name of the workflow."),
  version: text("The version of the workflow."),
}

const taskFacts: PayloadFields<facts.TaskFacts> = {
  taskId: text("The task."),
  ...workflowFacts,
  correlationId: text("What the creator of the task gave to follow it through other systems, or the task's id."),
}

const stepFacts: PayloadFields<facts.StepFacts> = {
  ...taskFacts,
  step: text("The step."),
  attempt: orNull(integer("Which attempt of the step, from 1; null when it was never started.")),
}

const error = objectOf<facts.EventError>(
  {
    name: text("The name of the error, such as TypeError."),
    code: orNull(text("A word for programs, when the error has one.")),
    message: text("What was wrong, without secrets."),
  },
  "What was thrown.",
)

const workerId = integer("The worker.")
const by = orNull(text("Who did it, when it was a person or a program."))
const reason = orNull(text("Why, in words, when somebody said."))
const worker = orNull(integer("The worker that did it; null when none did."))

const taskChange: PayloadFields<facts.TaskChange> = {
  ...taskFacts,
  from: orNull(oneOf(TASK_STATES, "The state before; null when the task was created.")),
  to: oneOf(TASK_STATES, "The state after. Pausing and resuming leave it as it is."),
  cause: orNull(text("Why, in one word, such as retried.")),
  by,
  reason,
  workerId: worker,
  durationMs: orNull(
    number("Of a task that ended: from its first step's start to its end, in milliseconds, by the database's clock."),
  ),
}

const stepChange: PayloadFields<facts.StepChange> = {
  ...stepFacts,
  from: oneOf(STEP_STATES, "The state before."),
  to: oneOf(STEP_STATES, "The state after."),
  maxAttempts: integer("How many attempts the step has in all."),
  cause: orNull(
    text("Why, in one word: timeout, worker_lost, handed_back, retried, bypassed, skipped, resolved or hastened."),
  ),
  by,
  reason,
  workerId: worker,
  durationMs: orNull(
    number(
      "Of an attempt that ended, in milliseconds: what the handler took, in the process that ran it; from its claim to its record, in the feed.",
    ),
  ),
  error: orNull(error),
}

const handlerCall: PayloadFields<facts.HandlerCall> = { ...stepFacts, workerId }

const workerFacts: PayloadFields<facts.WorkerFacts> = { workerId, worker: text("The name of the worker.") }

const workerTrouble: PayloadFields<facts.WorkerTrouble> = { ...workerFacts, error }

const storedWorkflow: PayloadFields<facts.StoredWorkflowFacts> = {
  ...workflowFacts,
  stepCount: integer("How many steps it has."),
}

const room = integer("How many steps it could have run.")

const queueChange: PayloadFields<facts.QueueChange> = { queue: text("The queue."), by, reason }

const databaseFacts: PayloadFields<facts.DatabaseFacts> = {
  kind: oneOf(["postgres", "embedded", "pglite"], "What the database is."),
  url: text("Where it is, without any password."),
}

const correlationId = orNull(text("What the caller gave to follow the change through other systems."))
const source = orNull(text("The file that it came from; null when it was registered in code."))

const registryChange: PayloadFields<facts.RegistryChange> = {
  key: text("namespace/name@version of a workflow; the name of a plugin or subscriber."),
  source,
  correlationId,
}

const registryRefusal: PayloadFields<facts.RegistryRefusal> = {
  key: orNull(text("What it is called, as far as it has a name.")),
  source,
  code: text("The code of the error: misshapen, or another one stands under its key."),
  problems: listOf(text(""), "Every member that is missing or misshapen, or the conflict."),
  correlationId,
}

const discovery: PayloadFields<facts.Discovery> = {
  kind: oneOf(["handler", "plugin", "subscriber"], "What was searched for."),
  folder: text("Where."),
  registered: listOf(text(""), "The keys of what was registered, in order."),
  failures: listOf(
    objectOf<facts.Discovery["failures"][number]>(
      { file: text("The file."), code: text("The code of the error."), message: text("What is wrong with it.") },
      "",
    ),
    "The files that could not be used.",
  ),
  durationMs: number("What the search took, in milliseconds."),
  correlationId,
}

const subscriberTrouble: PayloadFields<facts.SubscriberTrouble> = {
  subscriber: text("The name of the subscriber."),
  event: text("The name of the event that it was given."),
  error,
}

const subscription: PayloadFields<facts.SubscriptionFacts> = { subscription: text("The name of the subscription.") }
const subscriptionTrouble: PayloadFields<facts.SubscriptionTrouble> = {
  ...subscription,
  event: text("The name of the event."),
  cursor: text("Where the subscription stands: followed from here, the event comes."),
  attempt: integer("How often its handler was called with it, from 1."),
  error,
}

const exportFacts: PayloadFields<facts.ExportFacts> = {
  exportId: text("The same in all events of one export."),
  format: text("The format, such as csv."),
  exporter: text("The name of the plugin that writes it."),
  what: text("What is exported: tasks, steps, history or metrics."),
}

/** What a handler published. */
export const PUBLISHED_EVENT_FIELDS: PayloadFields<facts.PublishedEvent> = {
  ...stepFacts,
  workerId: orNull(integer("The worker that ran the attempt.")),
  body: anything("What the handler gave."),
}

/** The fields of each event's payload, as the types have them: what they hold, and what they mean. */
export const EVENT_FIELDS: { readonly [Name in EventName]: PayloadFields<EventPayloads[Name]> } = Object.freeze({
  "task.initialize_requested": taskChange,
  "task.start_requested": taskChange,
  "task.completed": taskChange,
  "task.failed": taskChange,
  "task.retry_requested": taskChange,
  "task.cancelled": taskChange,
  "task.resolved_manually": taskChange,
  "task.paused": taskChange,
  "task.resumed": taskChange,
  "task.deduplicated": taskFacts,
  "task.refused": { ...workflowFacts, correlationId: orNull(text("What the caller gave.")), error },

  "step.execution_requested": stepChange,
  "step.before_handle": handlerCall,
  "step.handle": {
    ...handlerCall,
    outcome: oneOf(["returned", "threw", "timed_out"], "How the handler ended."),
    durationMs: number("What it took, in milliseconds, by the monotonic clock of the process."),
  },
  "step.completed": stepChange,
  "step.failed": stepChange,
  "step.retry_requested": stepChange,
  "step.cancelled": stepChange,
  "step.resolved_manually": stepChange,
  "step.hastened": stepChange,
  "step.rescued": stepChange,
  "step.handed_back": stepChange,
  "step.fenced": {
    ...stepFacts,
    workerId: integer("The worker that answered too late."),
    outcome: oneOf(["complete", "retry", "error"], "What it answered."),
  },
  "step.timed_out": stepChange,
  "observability.step.backoff": {
    ...stepChange,
    delayMs: orNull(
      number("How long until the next attempt is due, in milliseconds; null when it is not known any more."),
    ),
  },
  "observability.step.skip": stepChange,
  "observability.step.max_retries_reached": stepChange,

  "workflow.viable_steps_discovered": { workerId, count: integer("How many steps it was given."), room },
  "workflow.no_viable_steps": { workerId, room },
  "workflow.steps_execution_completed": {
    workerId,
    completeCount: integer("How many attempts were recorded as complete."),
    retryCount: integer("How many asked for another attempt."),
    errorCount: integer("How many failed for good."),
    lostCount: integer("How many answers were refused."),
    durationMs: number("What the call took, in milliseconds."),
  },
  "workflow.task_state_unclear": {
    invariant: text("The invariant that does not hold."),
    taskId: text("The task."),
    message: text("What was found."),
  },
  "workflow.registered": storedWorkflow,
  "workflow.replaced": storedWorkflow,

  "worker.started": {
    ...workerFacts,
    host: text("The machine that it runs on."),
    pid: integer("Its process."),
    concurrency: integer("How many steps it runs at once."),
    leaseMs: integer("How long it holds what it claimed without a heartbeat, in milliseconds."),
    queues: orNull(listOf(text(""), "The queues that it serves; null for those of all its workflows.")),
  },
  "worker.heartbeat": {
    ...workerFacts,
    runningCount: integer("How many steps it runs."),
    room: integer("How many more it could run."),
    durationMs: number("What the heartbeat's call took, in milliseconds."),
  },
  "worker.disconnected": workerTrouble,
  "worker.lease_lost": workerTrouble,
  "worker.recovered": { ...workerFacts, durationMs: number("How long it made no call, in milliseconds.") },
  "worker.lost": {
    workerId: integer("The worker whose lease ran out."),
    stepCount: integer("How many steps were taken back from it."),
    rescuedBy: integer("The worker that took them back."),
  },
  "worker.stopping": workerFacts,
  "worker.stopped": {
    ...workerFacts,
    handedBackCount: orNull(
      integer("How many steps did not end in time and were handed back; null when the database was away."),
    ),
  },

  "queue.paused": queueChange,
  "queue.resumed": queueChange,
  "queue.limited": {
    queue: text("The queue."),
    maxRunning: orNull(integer("How many of its steps may run at once; null without a limit.")),
  },

  "database.connected": databaseFacts,
  "database.migrated": {
    ...databaseFacts,
    migrations: listOf(text(""), "The migrations that were applied, in order."),
    durationMs: number("What that took, in milliseconds."),
  },
  "database.listener_restored": databaseFacts,
  "database.closed": databaseFacts,

  "handler.registered": registryChange,
  "handler.replaced": registryChange,
  "handler.unregistered": registryChange,
  "handler.validation_failed": registryRefusal,
  "plugin.registered": registryChange,
  "plugin.replaced": registryChange,
  "plugin.unregistered": registryChange,
  "plugin.validation_failed": registryRefusal,
  "subscriber.registered": registryChange,
  "subscriber.replaced": registryChange,
  "subscriber.unregistered": registryChange,
  "subscriber.validation_failed": registryRefusal,
  "registry.discovery_completed": discovery,
  "registry.discovery_failed": discovery,

  "subscriber.failed": subscriberTrouble,
  "subscriber.timed_out": subscriberTrouble,
  "subscriber.overflowed": {
    subscriber: text("The name of the subscriber."),
    droppedCount: integer("How many events it missed since the last time that this was told."),
  },
  "subscription.claimed": subscription,
  "subscription.released": subscription,
  "subscription.failed": subscriptionTrouble,
  "subscription.skipped": subscriptionTrouble,

  "tasker.telemetry.export_requested": exportFacts,
  "tasker.telemetry.export_completed": {
    ...exportFacts,
    recordCount: integer("How many records were written."),
    bytes: integer("How many bytes were written."),
    durationMs: number("What it took, in milliseconds."),
  },
  "tasker.telemetry.export_failed": {
    ...exportFacts,
    durationMs: number("How long it had taken, in milliseconds."),
    error,
  },
})
