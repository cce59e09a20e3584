-- tasker.completed_steps: the steps that completed in a period.
--
-- Reads the history of the period, by its index on time, and then those steps.
--
--   p_since, p_until  completed then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--
-- Returns    a row per step: how long the attempt that completed it took
-- Called by  sql/functions/{slowest_steps,duration_percentiles}.sql

create or replace function tasker.completed_steps (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text
)
returns table (
  task_id     uuid,
  step_no     smallint,
  workflow_id integer,
  attempts    smallint,
  started_at  timestamptz,
  finished_at timestamptz,
  duration_ms double precision
)
language sql
stable
as $$
  select
    step.task_id,
    step.step_no,
    task.workflow_id,
    step.attempts,
    step.started_at,
    step.finished_at,
    (extract(epoch from step.finished_at - step.started_at) * 1000)::double precision
  from tasker.transitions as transition
  join tasker.step_records as step
    on step.task_id = transition.task_id
    and step.step_no = transition.step_no
  join tasker.tasks as task on task.task_id = transition.task_id
  where transition.at >= p_since
    and transition.at < p_until
    and transition.step_no is not null
    and transition.to_state = 'complete'
    and (
      coalesce(p_namespace, p_workflow, p_version) is null
      or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
    )
$$;
