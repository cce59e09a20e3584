import type { Queryable } from "../../core/database.ts"
import type { StandingStep, StandingTask } from "../../core/graph/standing-task.ts"
import type { StepState, TaskState } from "../../core/state.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import { run } from "../run.ts"

interface TaskGraphRow {
  readonly workflow: WorkflowId
  readonly state: TaskState
  readonly isPaused: boolean
  readonly createdAt: Date
  readonly finishedMs: number | null
  readonly nowMs: number
  readonly steps: readonly StandingStep[]
  readonly changes: readonly (readonly [
    step: number,
    from: StepState | null,
    to: StepState,
    atMs: number,
    isHandedBack: boolean,
  ])[]
}

/**
 * A task as a graph, with all that happened to its steps; `undefined` when there is no such task.
 *
 * @param now - the clock; only tests pass it
 */
export async function taskGraph(
  db: Queryable,
  taskId: string,
  now?: Date,
): Promise<(StandingTask & { readonly workflow: WorkflowId }) | undefined> {
  const [row] = await run<TaskGraphRow>(db, {
    name: "tasker.task_graph",
    text: `
      select
        json_build_object('namespace', namespace, 'name', workflow, 'version', version) as workflow,
        state,
        is_paused as "isPaused",
        created_at as "createdAt",
        finished_ms as "finishedMs",
        now_ms as "nowMs",
        steps,
        changes
      from tasker.task_graph($1, coalesce($2, now()))`,
    values: [taskId, now],
  })
  if (row === undefined) return undefined
  return {
    ...row,
    changes: row.changes.map(([step, from, to, atMs, isHandedBack]) => ({ step, from, to, atMs, isHandedBack })),
  }
}
