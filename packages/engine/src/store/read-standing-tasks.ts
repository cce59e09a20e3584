import type { Queryable } from "../core/database.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { run } from "./run.ts"

/** What a request is told of the task that was there already. */
export interface StandingTask {
  /** The version that it is pinned to. */
  readonly workflow: WorkflowId
  readonly correlationId: string
}

/** Tasks that requests were given, by their ids. */
export async function readStandingTasks(
  db: Queryable,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, StandingTask>> {
  const rows = await run<{ taskId: string; correlationId: string } & WorkflowId>(db, {
    name: "tasker.read_standing_tasks",
    text: `
      select task_id as "taskId", namespace, workflow as name, version, correlation_id as "correlationId"
      from tasker.task_details
      where task_id in (select id::uuid from jsonb_array_elements_text($1::text::jsonb) as id)`,
    values: [JSON.stringify(taskIds)],
  })
  return new Map(rows.map(({ taskId, correlationId, ...workflow }) => [taskId, { workflow, correlationId }]))
}
