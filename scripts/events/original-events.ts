/** What became of an event of the original Tasker: published under its name, or dropped, and what tells the same now. */
export type OriginalEvent = { readonly name: string } & (
  | { readonly isPublished: true }
  | { readonly isPublished: false; readonly reason: string; readonly toldBy: readonly string[] }
)

/**
 * What this list claims and the catalogue does not bear out: that an event is published, or is not, or that another one
 * tells the same. `*` at the end of a name stands for any.
 */
export function originalProblems(names: readonly string[]): readonly string[] {
  return ORIGINAL_EVENTS.flatMap((event) => {
    const isThere = names.includes(event.name)
    if (event.isPublished) return isThere ? [] : [`"${event.name}" is said to be published, and is no event`]
    const silent = event.toldBy.filter((told) => !names.some((name) => isMeant(told, name)))
    return [
      ...(isThere ? [`"${event.name}" is said to be dropped, and is an event`] : []),
      ...silent.map((told) => `"${event.name}" is said to be told by "${told}", which is no event`),
    ]
  })
}

function isMeant(told: string, name: string): boolean {
  return told.endsWith("*") ? name.startsWith(told.slice(0, -1)) : told === name
}

const published = (name: string): OriginalEvent => ({ name, isPublished: true })
const dropped = (name: string, reason: string, toldBy: readonly string[]): OriginalEvent => ({
  name,
  isPublished: false,
  reason,
  toldBy,
})

const BEFORE = "nothing can be told before a change: an event is published after the commit"
const TWICE = "it said the same as another event, from another place"
const NO_FINALIZER = "a task ends in the same commit as the last of its steps; no pass of its own decides it"
const NO_REENQUEUE = "a task that can go on is claimable at once; nothing puts it back into a queue"
const NO_BATCH = "a worker claims and records steps in one call; there is no batch that starts"
const NO_RUNNER = "no job runs a task as a whole: workers run steps, of whichever tasks are ready"

/** The 51 events of the original, in its order; its five constants for tests are none. */
export const ORIGINAL_EVENTS: readonly OriginalEvent[] = [
  published("task.initialize_requested"),
  published("task.start_requested"),
  published("task.completed"),
  published("task.failed"),
  published("task.retry_requested"),
  published("task.cancelled"),
  published("task.resolved_manually"),
  dropped("task.before_transition", BEFORE, ["task.*"]),

  dropped("step.initialize_requested", "the steps of a task are created with it, in one statement", [
    "task.initialize_requested",
  ]),
  published("step.execution_requested"),
  published("step.before_handle"),
  published("step.handle"),
  published("step.completed"),
  published("step.failed"),
  published("step.retry_requested"),
  published("step.cancelled"),
  published("step.resolved_manually"),
  dropped("step.before_transition", BEFORE, ["step.*"]),

  dropped("workflow.task_started", TWICE, ["task.start_requested"]),
  dropped("workflow.task_completed", TWICE, ["task.completed"]),
  dropped("workflow.task_failed", TWICE, ["task.failed"]),
  dropped("workflow.step_completed", TWICE, ["step.completed"]),
  dropped("workflow.step_failed", TWICE, ["step.failed"]),
  published("workflow.viable_steps_discovered"),
  published("workflow.no_viable_steps"),
  dropped("workflow.orchestration_requested", "nothing has to be asked to look after a task", [
    "workflow.viable_steps_discovered",
  ]),
  dropped("workflow.task_finalization_started", NO_FINALIZER, ["task.completed", "task.failed"]),
  dropped("workflow.task_finalization_completed", NO_FINALIZER, ["task.completed", "task.failed"]),
  dropped("workflow.task_reenqueue_started", NO_REENQUEUE, ["workflow.viable_steps_discovered"]),
  dropped("workflow.task_reenqueue_requested", NO_REENQUEUE, ["workflow.viable_steps_discovered"]),
  dropped("workflow.task_reenqueue_failed", NO_REENQUEUE, ["worker.disconnected"]),
  dropped("workflow.task_reenqueue_delayed", NO_REENQUEUE, ["observability.step.backoff"]),
  published("workflow.task_state_unclear"),
  dropped("workflow.step_execution_failed", TWICE, ["step.failed", "observability.step.backoff"]),
  dropped("workflow.viable_steps_batch_ready", NO_BATCH, ["workflow.viable_steps_discovered"]),
  dropped("workflow.steps_execution_started", NO_BATCH, ["step.execution_requested"]),
  published("workflow.steps_execution_completed"),

  dropped("observability.task.handle", NO_RUNNER, ["task.start_requested"]),
  dropped("observability.task.enqueue", "a task waits in no queue of jobs: its ready steps can be claimed", [
    "task.initialize_requested",
  ]),
  dropped("observability.task.finalize", NO_FINALIZER, ["task.completed", "task.failed"]),
  dropped("observability.step.handle", TWICE, ["step.handle"]),
  dropped("observability.step.find_viable", TWICE, ["workflow.viable_steps_discovered", "workflow.no_viable_steps"]),
  published("observability.step.backoff"),
  published("observability.step.skip"),
  published("observability.step.max_retries_reached"),

  dropped("tasker.telemetry.cache_synced", "there is no cache of metrics that would have to be synced", []),
  published("tasker.telemetry.export_requested"),
  published("tasker.telemetry.export_completed"),
  published("tasker.telemetry.export_failed"),
  dropped("tasker.telemetry.plugin_registered", "each registry tells of itself", ["plugin.registered"]),
  dropped("tasker.telemetry.plugin_unregistered", "each registry tells of itself", ["plugin.unregistered"]),
]
