import type { JsonValue } from "../core/schema.ts"
import type { StepState, TaskState } from "../core/state.ts"
import type { Priority, WorkflowId } from "../core/workflow.ts"

/** A task, without its input. Times are the database's; what is not known is `null`. */
export interface TaskSummary {
  readonly taskId: string
  /** The version that the task is pinned to. */
  readonly workflow: WorkflowId
  readonly state: TaskState
  readonly priority: Priority
  /** Since when it is paused; `null` when it is not. */
  readonly pausedAt: Date | null
  /** How many steps it has. */
  readonly stepCount: number
  /** How many of them are not done: neither complete, skipped, resolved nor cancelled. */
  readonly openStepCount: number
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, JsonValue>>
  /** What its creator gave to follow it through other systems; else its own id. */
  readonly correlationId: string
  readonly initiator: string | null
  readonly sourceSystem: string | null
  readonly reason: string | null
  readonly createdAt: Date
  /** When its first step started. */
  readonly startedAt: Date | null
  /** When it ended; `null` again once a failed task was retried. */
  readonly finishedAt: Date | null
}

/** A task. */
export interface Task extends TaskSummary {
  /** As it was validated and stored. */
  readonly input: JsonValue
}

/** Why a step failed, as it was stored with it. */
export interface StoredError {
  readonly name?: string
  readonly code: string | null
  readonly message: string
  readonly stack?: string | null
}

/** What keeps a step waiting. */
export type BlockedBy =
  /** Steps that it depends on are not done. */
  | "parents"
  /** Its next attempt is due at `nextRetryAt`. */
  | "retry"
  /** Its first attempt is due at `runAt`. */
  | "delayed"
  /** It sleeps, or waits for something outside. */
  | "waiting"
  /** It failed for good: somebody has to retry, skip or resolve it. */
  | "operator"
  | "task_paused"
  | "queue_paused"
  /** Its queue runs as many steps as it may. */
  | "queue_limit"
  /** No live worker serves its workflow and queue. */
  | "no_worker"
  /** Nothing: a worker will claim it. */
  | "ready"

/** A step of a task. */
export interface Step {
  readonly taskId: string
  readonly name: string
  readonly state: StepState
  /** What keeps it waiting; `null` when it runs or has ended. */
  readonly blockedBy: BlockedBy | null
  /** The dependencies that are not done, when these keep it waiting. */
  readonly blockedBySteps: readonly string[]
  readonly dependsOn: readonly string[]
  /** How many of `dependsOn` are done. */
  readonly doneDependencyCount: number
  readonly attempts: number
  /** More than its workflow allows once an operator retried it. */
  readonly maxAttempts: number
  /** When it may run, or might have at the earliest; `null` when it is not in its queue, or runs. */
  readonly runAt: Date | null
  /** When its next attempt is due; `null` unless it waits for one. */
  readonly nextRetryAt: Date | null
  /** When its last attempt started. */
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  /** What it returned, or an operator gave; `null` when there is none. */
  readonly result: JsonValue
  /** Why its last attempt failed; `null` when it did not. */
  readonly error: StoredError | null
  readonly queue: string
  readonly priority: Priority
  readonly skippable: boolean
  /** The worker that runs it. */
  readonly workerId: number | null
}

/** An event that a step published. */
export interface StoredEvent {
  readonly name: string
  readonly payload: JsonValue
}

/** A row of history: a step or the task itself went from one state to another. */
export interface Transition {
  /** Orders the history of a task. */
  readonly transitionId: number
  readonly at: Date
  /** `null`: the task itself. */
  readonly step: string | null
  /** `null`: it was created. Equal to `to` when the task was paused or resumed, a step's wait was cut short, or it published something. */
  readonly from: StepState | null
  readonly to: StepState
  readonly attempt: number | null
  readonly workerId: number | null
  /** Why, in one word: `timeout`, `worker_lost`, `handed_back`, `retried`, `bypassed`, `skipped`, `resolved`, `paused`, `resumed`, `hastened`, `published`. */
  readonly cause: string | null
  /** Who did it, when it was a person or a program. */
  readonly by: string | null
  readonly reason: string | null
  readonly error: StoredError | null
  /** What the step published, when that is what happened. */
  readonly event: StoredEvent | null
}
