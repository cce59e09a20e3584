import type { Queryable } from "../core/database.ts"
import type { TaskState } from "../core/state.ts"
import { run } from "./run.ts"
import type { TaskSummary } from "./task.ts"

/** Which tasks, all conditions together; `undefined` is no condition. */
export interface TaskPage {
  readonly namespace?: string | undefined
  readonly workflow?: string | undefined
  readonly version?: string | undefined
  readonly states?: readonly TaskState[] | undefined
  readonly tags?: readonly string[] | undefined
  /** JSON of an object that the attributes contain. */
  readonly attributes?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  /** The last task of the page before. */
  readonly before?: string | undefined
  readonly limit: number
}

/** A page of tasks, the newest first. */
export async function listTasks(db: Queryable, page: TaskPage): Promise<readonly TaskSummary[]> {
  return await run<TaskSummary>(db, {
    text: `
      select
        detail.task_id as "taskId",
        json_build_object('namespace', detail.namespace, 'name', detail.workflow, 'version', detail.version) as workflow,
        detail.state,
        detail.priority,
        detail.paused_at as "pausedAt",
        detail.step_count as "stepCount",
        detail.open_steps as "openStepCount",
        coalesce(detail.tags, '{}') as tags,
        coalesce(detail.attributes, '{}') as attributes,
        detail.correlation_id as "correlationId",
        detail.initiator,
        detail.source_system as "sourceSystem",
        detail.reason,
        detail.created_at as "createdAt",
        detail.started_at as "startedAt",
        detail.finished_at as "finishedAt"
      from (
        select array_agg(page.task_id) as task_ids
        from tasker.list_tasks($1, $2, $3, $4::tasker.state[], $5::text[], $6::jsonb, $7, $8, $9, $10) as page
      ) as listed
      join tasker.task_details as detail on detail.task_id = any (listed.task_ids)
      order by detail.task_id desc`,
    values: [
      page.namespace,
      page.workflow,
      page.version,
      page.states,
      page.tags,
      page.attributes,
      page.since,
      page.until,
      page.before,
      page.limit,
    ],
  })
}
