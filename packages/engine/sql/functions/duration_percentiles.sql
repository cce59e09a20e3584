-- tasker.duration_percentiles: how long tasks and steps that ended in a period took, by workflow and by step.
--
-- A task takes from the start of its first step to its end; a step, as long as the
-- attempt that completed it.
--
--   p_since, p_until  ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--
-- Returns    a row per workflow version, whose step is null, and a row per step of it; only those of
--            which something ended
-- Called by  src/store/analytics/duration-percentiles.ts

create or replace function tasker.duration_percentiles (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text
)
returns table (
  namespace text,
  workflow  text,
  version   text,
  step      text,
  count     bigint,
  p50_ms    double precision,
  p95_ms    double precision,
  p99_ms    double precision
)
language sql
stable
as $$
  select
    workflow.namespace,
    workflow.name,
    workflow.version,
    definition.name,
    measured.count,
    measured.percentiles[1],
    measured.percentiles[2],
    measured.percentiles[3]
  from (
    select
      each.workflow_id,
      each.step_no,
      count(*) as count,
      percentile_cont(array[0.5, 0.95, 0.99]) within group (order by each.duration_ms) as percentiles
    from (
      select ended.workflow_id, null::smallint as step_no, ended.duration_ms
      from tasker.ended_tasks(p_since, p_until, p_namespace, p_workflow, p_version) as ended
      union all
      select completed.workflow_id, completed.step_no, completed.duration_ms
      from tasker.completed_steps(p_since, p_until, p_namespace, p_workflow, p_version) as completed
    ) as each
    group by each.workflow_id, each.step_no
  ) as measured
  join tasker.workflows as workflow on workflow.workflow_id = measured.workflow_id
  left join tasker.workflow_steps as definition
    on definition.workflow_id = measured.workflow_id
    and definition.step_no = measured.step_no
  order by workflow.namespace, workflow.name, workflow.version_key, measured.step_no nulls first
$$;
