-- tasker.task_timings: how long the tasks that ended in a period took, and waited before.
--
--   p_since, p_until  ended then or later, and before, as tasker.ended_tasks has it
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_by_workflow     whether to measure each workflow by itself
--   p_bounds          bounds of the buckets, in milliseconds, rising
--
-- Returns    a row, or one per workflow row when asked for: durations from the start of the first step
--            to the end, waits from the creation to the start of the first step, as tasker.summarize_ms
--            has them, and the durations in buckets. None when no task ended.
-- Called by  src/store/analytics/task-timings.ts

create or replace function tasker.task_timings (
  p_since        timestamptz,
  p_until        timestamptz,
  p_namespace    text,
  p_workflow     text,
  p_version      text,
  p_by_workflow  boolean,
  p_bounds       double precision[]
)
returns table (workflow_id integer, duration jsonb, wait jsonb, buckets integer[])
language sql
stable
as $$
  select
    measured.workflow_id,
    tasker.summarize_ms(measured.durations),
    tasker.summarize_ms(measured.waits),
    tasker.count_buckets(measured.durations, p_bounds)
  from (
    select
      case when p_by_workflow then ended.workflow_id end as workflow_id,
      array_agg(ended.duration_ms) as durations,
      array_agg(ended.wait_ms) as waits
    from tasker.ended_tasks(p_since, p_until, p_namespace, p_workflow, p_version) as ended
    group by 1
  ) as measured
$$;
