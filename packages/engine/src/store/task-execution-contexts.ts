import type { Queryable } from "../core/database.ts"
import type { TaskState } from "../core/state.ts"
import { run } from "./run.ts"

export type ExecutionStatus =
  | "has_ready_steps"
  | "processing"
  | "waiting_for_retry"
  | "waiting"
  | "paused"
  | "blocked_by_failures"
  | "all_complete"
  | "waiting_for_dependencies"

export type RecommendedAction =
  | "execute_ready_steps"
  | "wait_for_completion"
  | "wait_for_retry"
  | "wait"
  | "resume"
  | "handle_failures"
  | "none"
  | "wait_for_dependencies"

/** `recovering`: steps failed, and others can go on or will be tried again. `blocked`: nothing can go on before somebody acts. */
export type HealthStatus = "healthy" | "recovering" | "blocked"

/** How far a task is, and what to do about it. */
export interface ExecutionContext {
  readonly taskId: string
  readonly state: TaskState
  readonly totalSteps: number
  readonly pendingSteps: number
  readonly inProgressSteps: number
  readonly waitingSteps: number
  readonly waitingForRetrySteps: number
  readonly completeSteps: number
  readonly errorSteps: number
  readonly skippedSteps: number
  readonly cancelledSteps: number
  readonly resolvedSteps: number
  /** Those that a worker could claim now, if there is one and its queue has room. */
  readonly readySteps: number
  readonly executionStatus: ExecutionStatus
  readonly recommendedAction: RecommendedAction
  readonly healthStatus: HealthStatus
  /** The share of steps that are done, from 0 to 100, with two decimals. */
  readonly completionPercentage: number
}

/** The execution contexts of those tasks that exist, in no particular order. */
export async function taskExecutionContexts(
  db: Queryable,
  taskIds: readonly string[],
): Promise<readonly ExecutionContext[]> {
  return await run<ExecutionContext>(db, {
    text: `
      select
        task_id as "taskId",
        state,
        total_steps as "totalSteps",
        pending_steps as "pendingSteps",
        in_progress_steps as "inProgressSteps",
        waiting_steps as "waitingSteps",
        waiting_for_retry_steps as "waitingForRetrySteps",
        complete_steps as "completeSteps",
        error_steps as "errorSteps",
        skipped_steps as "skippedSteps",
        cancelled_steps as "cancelledSteps",
        resolved_steps as "resolvedSteps",
        ready_steps as "readySteps",
        execution_status as "executionStatus",
        recommended_action as "recommendedAction",
        health_status as "healthStatus",
        completion_percentage as "completionPercentage"
      from tasker.task_execution_contexts($1::uuid[])`,
    values: [taskIds],
  })
}
