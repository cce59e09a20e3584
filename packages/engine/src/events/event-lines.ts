import type { EventName } from "../core/events/event-map.ts"
import type { LogLevel } from "../core/logger.ts"

/** The log line of an event: how urgent it is, and what it says. */
export interface EventLine {
  readonly level: LogLevel
  readonly message: string
}

/**
 * Which events are log lines. At `info`, what is out of the ordinary, and what operators do; at `debug`, also what goes
 * its way: each task and each step. So a log at `info` says the more, the worse things go, and not the more work is done.
 * Null: another line says it, or whoever publishes it writes a line of its own.
 */
export const EVENT_LINES: Readonly<Record<EventName, EventLine | null>> = Object.freeze({
  "task.initialize_requested": debug("the task was created"),
  "task.start_requested": debug("the task began"),
  "task.completed": debug("the task is complete"),
  "task.failed": info("the task failed"),
  "task.retry_requested": info("the failed task goes on"),
  "task.cancelled": info("the task was cancelled"),
  "task.resolved_manually": info("the failed task was resolved"),
  "task.paused": info("the task was paused"),
  "task.resumed": info("the task was resumed"),
  "task.deduplicated": info("the request was given the task that stands"),
  "task.refused": info("the request for a task was refused"),

  "step.execution_requested": debug("the step was claimed"),
  "step.before_handle": null,
  "step.handle": null,
  "step.completed": debug("the step is complete"),
  "step.failed": info("the step failed for good"),
  "step.retry_requested": info("the failed step was given more attempts"),
  "step.cancelled": debug("the step was cancelled"),
  "step.resolved_manually": info("the step was resolved"),
  "step.hastened": info("the step need not wait any longer"),
  "step.rescued": info("the step was taken back from a lost worker"),
  "step.handed_back": info("the step was handed back"),
  "step.fenced": warn("an outcome counts for nothing: the step was cancelled, or is another worker's by then"),
  "step.timed_out": null,
  "observability.step.backoff": info("the attempt failed, and another follows"),
  "observability.step.skip": info("the step was skipped"),
  "observability.step.max_retries_reached": null,

  "workflow.viable_steps_discovered": null,
  "workflow.no_viable_steps": null,
  "workflow.steps_execution_completed": null,
  "workflow.task_state_unclear": Object.freeze({ level: "error", message: "an invariant is broken" }),
  "workflow.registered": debug("the workflow was stored"),
  "workflow.replaced": info("the workflow took the place of its version"),

  "worker.started": info("the worker started"),
  "worker.heartbeat": debug("the worker kept its lease"),
  "worker.disconnected": null,
  "worker.lease_lost": warn("the worker lost its lease, and drops what it ran"),
  "worker.recovered": null,
  "worker.lost": null,
  "worker.stopping": debug("the worker claims no more"),
  "worker.stopped": info("the worker stopped"),

  "queue.paused": info("the queue was paused"),
  "queue.resumed": info("the queue was resumed"),
  "queue.limited": info("the limit of the queue was changed"),

  "database.connected": debug("connected to the database"),
  "database.migrated": info("the database was migrated"),
  "database.listener_restored": null,
  "database.closed": debug("the database is closed"),

  "handler.registered": null,
  "handler.replaced": null,
  "handler.unregistered": null,
  "handler.validation_failed": null,
  "plugin.registered": null,
  "plugin.replaced": null,
  "plugin.unregistered": null,
  "plugin.validation_failed": null,
  "subscriber.registered": null,
  "subscriber.replaced": null,
  "subscriber.unregistered": null,
  "subscriber.validation_failed": null,
  "registry.discovery_completed": null,
  "registry.discovery_failed": null,

  "subscriber.failed": null,
  "subscriber.timed_out": null,
  "subscriber.overflowed": null,
  "subscription.claimed": info("this process handles the subscription"),
  "subscription.released": info("this process does not handle the subscription any more"),
  "subscription.failed": warn("the subscription failed at an event, and tries it again"),
  "subscription.skipped": error("the subscription has set an event aside"),

  "tasker.telemetry.export_requested": debug("the export begins"),
  "tasker.telemetry.export_completed": null,
  "tasker.telemetry.export_failed": null,
})

function debug(message: string): EventLine {
  return Object.freeze({ level: "debug", message })
}

function info(message: string): EventLine {
  return Object.freeze({ level: "info", message })
}

function warn(message: string): EventLine {
  return Object.freeze({ level: "warn", message })
}

function error(message: string): EventLine {
  return Object.freeze({ level: "error", message })
}
