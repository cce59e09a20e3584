import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"
import type { Step } from "./task.ts"

/** The steps of a task, each after all that it depends on; none when there is no such task. */
export async function listSteps(db: Queryable, taskId: string): Promise<readonly Step[]> {
  return await run<Step>(db, {
    name: "tasker.list_steps",
    text: `
      select
        readiness.task_id as "taskId",
        readiness.name,
        readiness.state,
        readiness.blocked_by as "blockedBy",
        readiness.blocked_by_steps as "blockedBySteps",
        array(
          select above.name
          from tasker.workflow_steps as above
          where above.workflow_id = task.workflow_id
            and above.step_no = any (definition.parents)
          order by above.step_no
        ) as "dependsOn",
        readiness.done_parents as "doneDependencyCount",
        readiness.attempts,
        readiness.max_attempts as "maxAttempts",
        readiness.run_at as "runAt",
        readiness.next_retry_at as "nextRetryAt",
        readiness.started_at as "startedAt",
        readiness.finished_at as "finishedAt",
        step.result,
        step.error,
        readiness.queue,
        readiness.priority,
        definition.skippable,
        readiness.worker_id as "workerId"
      from tasker.step_readiness(array[$1::uuid]) as readiness
      join tasker.tasks as task on task.task_id = readiness.task_id
      -- One by one, by its key: joined, it may be found by half of that, among the steps of all workflows.
      cross join lateral (
        select own.parents, own.skippable
        from tasker.workflow_steps as own
        where own.workflow_id = task.workflow_id
          and own.step_no = readiness.step_no
        offset 0
      ) as definition
      left join tasker.step_records as step
        on step.task_id = readiness.task_id
        and step.step_no = readiness.step_no
      where readiness.task_id = $1::uuid
      order by readiness.step_no`,
    values: [taskId],
  })
}
