import type { Queryable } from "../core/database.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { run } from "./run.ts"

/** The workflow versions that tasks are pinned to, by task id. */
export async function readWorkflowsOfTasks(
  db: Queryable,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, WorkflowId>> {
  const rows = await run<{ taskId: string } & WorkflowId>(db, {
    name: "tasker.read_workflows_of_tasks",
    text: `
      select task_id as "taskId", namespace, workflow as name, version
      from tasker.task_details
      where task_id in (select id::uuid from jsonb_array_elements_text($1::text::jsonb) as id)`,
    values: [JSON.stringify(taskIds)],
  })
  return new Map(rows.map(({ taskId, ...workflow }) => [taskId, workflow]))
}
