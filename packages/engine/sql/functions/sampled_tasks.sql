-- tasker.sampled_tasks: tasks whose steps ended attempts in a period; all of them, or a fair sample.
--
-- Reads the history of the period, by its index on time, and then those tasks. The sample is taken
-- by a hash of the task's id: it has nothing to do with when they ran or how long they took, and it
-- is the same each time. So the cost of what looks at them closely is bounded, however long the period.
--
--   p_since, p_until  attempts ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_max_rows        how many attempts and dependencies they may have together; the first task is
--                     there whatever it has
--
-- Returns    a row per task
-- Called by  sql/functions/measured_attempts.sql

create or replace function tasker.sampled_tasks (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_max_rows   integer
)
returns table (task_id uuid, workflow_id integer, created_at timestamptz)
language sql
stable
as $$
  select ranked.task_id, ranked.workflow_id, ranked.created_at
  from (
    select
      task.task_id,
      task.workflow_id,
      task.created_at,
      sum(busy.attempts + size.dependencies) over (order by uuid_hash(task.task_id), task.task_id) as rows_so_far,
      row_number() over (order by uuid_hash(task.task_id), task.task_id) as position
    from (
      select transition.task_id, count(*) as attempts
      from tasker.transitions as transition
      where transition.at >= p_since
        and transition.at < p_until
        and transition.step_no is not null
        and transition.from_state = 'in_progress'
        and transition.to_state <> 'in_progress'
      group by transition.task_id
    ) as busy
    join tasker.tasks as task on task.task_id = busy.task_id
    join (
      select definition.workflow_id, sum(cardinality(definition.parents)) as dependencies
      from tasker.workflow_steps as definition
      group by definition.workflow_id
    ) as size on size.workflow_id = task.workflow_id
    where coalesce(p_namespace, p_workflow, p_version) is null
      or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
  ) as ranked
  where ranked.rows_so_far <= p_max_rows
    or ranked.position = 1
$$;
