import { expect } from "vitest"
import type { ChaosServer } from "./chaos-server.ts"

/** What must be true whatever happened, once all tasks have ended. */
export async function assertSound({ tasker, query }: ChaosServer): Promise<void> {
  expect(await tasker.verify()).toEqual([])

  const states = await query(
    "select state::text, count(*)::integer from tasker.tasks where state <> 'complete' group by state",
  )
  expect(states).toEqual([])
  expect(await query("select * from tasker.step_queue")).toEqual([])

  // Counted from the history alone: what the tables say of themselves is what `verify` looks at.
  const recorded = await query(`
    select step.task_id, step.step_no, count(transition.transition_id)::integer as times
    from tasker.steps as step
    left join tasker.transitions as transition
      on transition.task_id = step.task_id
      and transition.step_no = step.step_no
      and transition.to_state = 'complete'
    group by step.task_id, step.step_no
    having count(transition.transition_id) <> 1`)
  expect(recorded, "steps whose result was recorded other than once").toEqual([])

  const overlapping = await query(`
    select this.task_id, this.step_no, this.attempt
    from (
      select task_id, step_no, attempt, to_state,
        lead(from_state) over (partition by task_id, step_no order by transition_id) as left_as
      from tasker.transitions
      where step_no is not null
    ) as this
    where this.to_state = 'in_progress' and this.left_as is distinct from 'in_progress'`)
  expect(overlapping, "steps that started while they ran").toEqual([])

  const effects = await query(`
    select step.task_id, definition.name, count(effect.task_id)::integer as rows
    from tasker.steps as step
    join tasker.tasks as task using (task_id)
    join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.step_no = step.step_no
    left join chaos_effects as effect
      on effect.task_id = step.task_id
      and effect.step = definition.name
    where definition.name in ('write', 'hold_and_write')
    group by step.task_id, definition.name
    having count(effect.task_id) <> 1`)
  expect(effects, "transactional steps that wrote other than once").toEqual([])
}

/** How often something happened to steps, by its cause. */
export async function countCauses({ query }: ChaosServer): Promise<Readonly<Record<string, number>>> {
  const rows = await query<{ cause: string; count: number }>(`
    select cause, count(*)::integer
    from tasker.transitions
    where step_no is not null and cause is not null
    group by cause`)
  return Object.fromEntries(rows.map(({ cause, count }) => [cause, count]))
}
