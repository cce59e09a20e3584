-- tasker.slowest_tasks: of the tasks that ended in a period, those that took longest.
--
--   p_since, p_until  ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_limit           how many at most
--
-- Returns    a row per task, the slowest first
-- Called by  src/store/analytics/slowest-tasks.ts

create or replace function tasker.slowest_tasks (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_limit      integer
)
returns table (
  task_id       uuid,
  namespace     text,
  workflow      text,
  version       text,
  state         tasker.state,
  created_at    timestamptz,
  started_at    timestamptz,
  finished_at   timestamptz,
  wait_ms       double precision,
  duration_ms   double precision,
  step_count    integer,
  error_count   integer,
  attempt_count integer,
  initiator     text,
  source_system text
)
language sql
stable
as $$
  select
    slow.task_id,
    workflow.namespace,
    workflow.name,
    workflow.version,
    slow.state,
    slow.created_at,
    slow.started_at,
    slow.finished_at,
    slow.wait_ms,
    slow.duration_ms,
    steps.count::integer,
    steps.errors::integer,
    steps.attempts::integer,
    slow.initiator,
    slow.source_system
  from (
    select ended.*
    from tasker.ended_tasks(p_since, p_until, p_namespace, p_workflow, p_version) as ended
    order by ended.duration_ms desc, ended.task_id
    limit p_limit
  ) as slow
  join tasker.workflows as workflow on workflow.workflow_id = slow.workflow_id
  cross join lateral (
    select count(*) as count, count(*) filter (where step.state = 'error') as errors, coalesce(sum(step.attempts), 0) as attempts
    from tasker.steps as step
    where step.task_id = slow.task_id
  ) as steps
  order by slow.duration_ms desc, slow.task_id
$$;
