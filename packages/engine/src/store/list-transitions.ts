import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"
import type { Transition } from "./task.ts"

/** The history of a task and its steps, in order; none when there is no such task. */
export async function listTransitions(db: Queryable, taskId: string): Promise<readonly Transition[]> {
  return await run<Transition>(db, {
    name: "tasker.list_transitions",
    text: `
      select
        transition.transition_id as "transitionId",
        transition.at,
        definition.name as step,
        transition.from_state as "from",
        transition.to_state as "to",
        transition.attempt,
        transition.worker_id as "workerId",
        transition.cause,
        transition.actor as "by",
        transition.reason,
        transition.error,
        transition.event
      from tasker.transitions as transition
      join tasker.tasks as task on task.task_id = transition.task_id
      left join tasker.workflow_steps as definition
        on definition.workflow_id = task.workflow_id
        and definition.step_no = transition.step_no
      where transition.task_id = $1
      order by transition.transition_id`,
    values: [taskId],
  })
}
