import type { Tasker } from "@tasker/engine"
import type { CounterSeries } from "./expose.ts"
import type { Series } from "./series.ts"

/**
 * Counts what the process tells. Each event is published once, by the process that made the change, so the sum over
 * processes is what happened.
 *
 * Of a step that goes well only the end is asked for: what nobody wants to know costs the engine nothing.
 *
 * @returns a function that ends it
 */
export function countEvents({ events }: Pick<Tasker, "events">, series: Series): () => void {
  const stops = [
    ...countTasks(events, series),
    ...countSteps(events, series),
    ...countWorkers(events, series),
    ...countObservers(events, series),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

type Events = Tasker["events"]
type Stops = readonly (() => void)[]

/** At once: a subscriber that is told later may miss events, and a count that misses some is worth little. */
const OPTIONS = { name: "metrics", immediate: true }

function countTasks(events: Events, series: Series): Stops {
  const countEnd = ({ payload: { namespace, workflow, to, durationMs } }: TaskEvent & Ended): void => {
    series.tasksEnded.at(namespace, workflow, to).value += 1
    if (durationMs !== null) series.taskDuration.at(namespace, workflow, to).observe(durationMs / 1_000)
  }
  return [
    events.on("task.initialize_requested", countTask(series.tasksCreated), OPTIONS),
    events.on("task.deduplicated", countTask(series.tasksDeduplicated), OPTIONS),
    events.on("task.refused", countTask(series.tasksRefused), OPTIONS),
    events.on("task.retry_requested", countTask(series.tasksReopened), OPTIONS),
    events.on("task.completed", countEnd, OPTIONS),
    events.on("task.failed", countEnd, OPTIONS),
    events.on("task.cancelled", countEnd, OPTIONS),
    events.on("task.resolved_manually", countEnd, OPTIONS),
  ]
}

function countSteps(events: Events, series: Series): Stops {
  const measure = ({ payload }: AttemptEvent, outcome: string): void => {
    const { namespace, workflow, step, cause, durationMs } = payload
    // Of an attempt that was lost with its worker the database knows when the step was taken back, and nobody when it ended.
    if (durationMs === null || cause === "worker_lost") return
    series.stepDuration.at(namespace, workflow, step, outcome).observe(durationMs / 1_000)
  }
  const countEnd = ({ payload: { namespace, workflow, step, to } }: StepEvent & Ended): void =>
    add(series.stepsEnded.at(namespace, workflow, step, to))
  const countAttempt = (event: AttemptEvent): void => {
    countEnd(event)
    measure(event, event.payload.to)
    if (event.payload.cause === "worker_lost") countRescue(event)
  }
  const countRescue = countStep(series.stepsRescued)
  const countRetry = countStep(series.stepRetries)
  return [
    events.on("step.completed", countAttempt, OPTIONS),
    events.on("step.failed", countAttempt, OPTIONS),
    events.on("observability.step.skip", countAttempt, OPTIONS),
    // A handler may run on after its step was cancelled.
    events.on("step.cancelled", countEnd, OPTIONS),
    events.on("step.resolved_manually", countEnd, OPTIONS),
    events.on(
      "observability.step.backoff",
      (event) => {
        countRetry(event)
        measure(event, "retry")
      },
      OPTIONS,
    ),
    events.on("step.timed_out", countStep(series.stepTimeouts), OPTIONS),
    events.on("step.rescued", countRescue, OPTIONS),
    events.on("step.handed_back", countStep(series.stepsHandedBack), OPTIONS),
    events.on("step.fenced", countStep(series.stepsFenced), OPTIONS),
    events.on("step.retry_requested", countStep(series.stepsReopened), OPTIONS),
  ]
}

function countWorkers(events: Events, series: Series): Stops {
  return [
    events.on("worker.heartbeat", countWorker(series.workerHeartbeats), OPTIONS),
    events.on("worker.disconnected", countWorker(series.workerDisconnections), OPTIONS),
    events.on("worker.lease_lost", countWorker(series.workerLeasesLost), OPTIONS),
    events.on("worker.lost", () => add(series.workersLost.at()), OPTIONS),
    events.on("database.listener_restored", () => add(series.listenerRestored.at()), OPTIONS),
    events.on("workflow.task_state_unclear", ({ payload }) => add(series.violations.at(payload.invariant)), OPTIONS),
  ]
}

function countObservers(events: Events, series: Series): Stops {
  const { subscriberFailures, subscriberDrops, subscriptionFailures, exports } = series
  return [
    events.on("subscriber.failed", ({ payload }) => add(subscriberFailures.at(payload.subscriber, "failed")), OPTIONS),
    events.on(
      "subscriber.timed_out",
      ({ payload }) => add(subscriberFailures.at(payload.subscriber, "timed_out")),
      OPTIONS,
    ),
    events.on(
      "subscriber.overflowed",
      ({ payload }) => add(subscriberDrops.at(payload.subscriber), payload.droppedCount),
      OPTIONS,
    ),
    events.on("subscription.failed", ({ payload }) => add(subscriptionFailures.at(payload.subscription)), OPTIONS),
    events.on(
      "tasker.telemetry.export_completed",
      ({ payload }) => add(exports.at(payload.what, payload.format, "completed")),
      OPTIONS,
    ),
    events.on(
      "tasker.telemetry.export_failed",
      ({ payload }) => add(exports.at(payload.what, payload.format, "failed")),
      OPTIONS,
    ),
  ]
}

interface TaskEvent {
  readonly payload: { readonly namespace: string; readonly workflow: string }
}

interface StepEvent {
  readonly payload: { readonly namespace: string; readonly workflow: string; readonly step: string }
}

/** A change of a task's or a step's state. */
interface Ended {
  readonly payload: { readonly to: string; readonly durationMs: number | null }
}

/** A change of a step's state that may be the end of an attempt. */
interface AttemptEvent extends StepEvent {
  readonly payload: StepEvent["payload"] & Ended["payload"] & { readonly cause: string | null }
}

interface WorkerEvent {
  readonly payload: { readonly worker: string }
}

function countTask(series: CounterSeries): (event: TaskEvent) => void {
  return ({ payload: { namespace, workflow } }) => add(series.at(namespace, workflow))
}

function countStep(series: CounterSeries): (event: StepEvent) => void {
  return ({ payload: { namespace, workflow, step } }) => add(series.at(namespace, workflow, step))
}

function countWorker(series: CounterSeries): (event: WorkerEvent) => void {
  return ({ payload: { worker } }) => add(series.at(worker))
}

function add(cell: { value: number }, count = 1): void {
  cell.value += count
}
