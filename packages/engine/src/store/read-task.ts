import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"
import type { Task } from "./task.ts"

/** A task by its id; `undefined` when there is none. */
export async function readTask(db: Queryable, taskId: string): Promise<Task | undefined> {
  const [task] = await run<Task>(db, {
    name: "tasker.read_task",
    text: `
      select
        task_id as "taskId",
        json_build_object('namespace', namespace, 'name', workflow, 'version', version) as workflow,
        state,
        priority,
        paused_at as "pausedAt",
        step_count as "stepCount",
        open_steps as "openStepCount",
        input,
        coalesce(tags, '{}') as tags,
        coalesce(attributes, '{}') as attributes,
        correlation_id as "correlationId",
        initiator,
        source_system as "sourceSystem",
        reason,
        created_at as "createdAt",
        started_at as "startedAt",
        finished_at as "finishedAt"
      from tasker.task_details
      where task_id = $1`,
    values: [taskId],
  })
  return task
}
