-- tasker.ended_tasks: the tasks that ended in a period, as complete or in error, and stand so.
--
-- Reads the history of the period, by its index on time, and then those tasks.
--
--   p_since, p_until  ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--
-- Returns    a row per task that some step of ran: how long after its creation the first step
--            started, and how long after that the task ended
-- Called by  sql/functions/{slowest_tasks,duration_percentiles}.sql

create or replace function tasker.ended_tasks (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text
)
returns table (
  task_id       uuid,
  workflow_id   integer,
  state         tasker.state,
  created_at    timestamptz,
  started_at    timestamptz,
  finished_at   timestamptz,
  wait_ms       double precision,
  duration_ms   double precision,
  initiator     text,
  source_system text
)
language sql
stable
as $$
  select
    task.task_id,
    task.workflow_id,
    task.state,
    task.created_at,
    task.started_at,
    task.finished_at,
    (extract(epoch from task.started_at - task.created_at) * 1000)::double precision,
    (extract(epoch from task.finished_at - task.started_at) * 1000)::double precision,
    task.initiator,
    task.source_system
  from (
    -- A task may end more than once: retried, it fails again.
    select distinct transition.task_id
    from tasker.transitions as transition
    where transition.at >= p_since
      and transition.at < p_until
      and transition.step_no is null
      and transition.to_state in ('complete', 'error')
  ) as ended
  join tasker.tasks as task on task.task_id = ended.task_id
  where task.state in ('complete', 'error')
    and task.finished_at >= p_since
    and task.finished_at < p_until
    and task.started_at is not null
    and (
      coalesce(p_namespace, p_workflow, p_version) is null
      or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
    )
$$;
