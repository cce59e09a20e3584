-- tasker.slowest_steps: of the steps that completed in a period, those whose attempt took longest.
--
--   p_since, p_until  completed then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_limit           how many at most
--
-- Returns    a row per step, the slowest first
-- Called by  src/store/analytics/slowest-steps.ts

create or replace function tasker.slowest_steps (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_limit      integer
)
returns table (
  task_id     uuid,
  step        text,
  namespace   text,
  workflow    text,
  version     text,
  attempts    smallint,
  started_at  timestamptz,
  finished_at timestamptz,
  duration_ms double precision
)
language sql
stable
as $$
  select
    slow.task_id,
    definition.name,
    workflow.namespace,
    workflow.name,
    workflow.version,
    slow.attempts,
    slow.started_at,
    slow.finished_at,
    slow.duration_ms
  from (
    select completed.*
    from tasker.completed_steps(p_since, p_until, p_namespace, p_workflow, p_version) as completed
    order by completed.duration_ms desc, completed.task_id, completed.step_no
    limit p_limit
  ) as slow
  join tasker.workflows as workflow on workflow.workflow_id = slow.workflow_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = slow.workflow_id
    and definition.step_no = slow.step_no
  order by slow.duration_ms desc, slow.task_id, slow.step_no
$$;
