import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** The names of a task's steps, in the order of its workflow. */
export async function listStepNames(db: Queryable, taskId: string): Promise<readonly string[]> {
  const rows = await run<{ name: string }>(db, {
    text: `
      select definition.name
      from tasker.tasks as task
      join tasker.workflow_steps as definition on definition.workflow_id = task.workflow_id
      where task.task_id = $1
      order by definition.step_no`,
    values: [taskId],
  })
  return rows.map(({ name }) => name)
}
