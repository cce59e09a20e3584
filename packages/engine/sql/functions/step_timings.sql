-- tasker.step_timings: how long attempts that ended in a period ran, and what they waited for.
--
--   p_since, p_until  ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_max_rows        as for tasker.measured_attempts
--   p_by_workflow     whether to measure each workflow by itself
--
-- Returns    a row, or one per workflow row when asked for: how many tasks and attempts were measured, and
--            their times as tasker.measured_attempts tells them, as tasker.summarize_ms has them. None when
--            no attempt ended.
-- Called by  src/store/analytics/step-timings.ts

create or replace function tasker.step_timings (
  p_since        timestamptz,
  p_until        timestamptz,
  p_namespace    text,
  p_workflow     text,
  p_version      text,
  p_max_rows     integer,
  p_by_workflow  boolean
)
returns table (workflow_id integer, tasks bigint, attempts bigint, run jsonb, queue jsonb, retry jsonb)
language sql
stable
as $$
  select
    measured.workflow_id,
    measured.tasks,
    measured.attempts,
    tasker.summarize_ms(measured.runs),
    tasker.summarize_ms(measured.queues),
    tasker.summarize_ms(measured.retries)
  from (
    select
      case when p_by_workflow then each.workflow_id end as workflow_id,
      count(distinct each.task_id) as tasks,
      count(*) as attempts,
      array_agg(each.run_ms) as runs,
      array_agg(each.queue_ms) as queues,
      array_agg(each.retry_ms) as retries
    from tasker.measured_attempts(p_since, p_until, p_namespace, p_workflow, p_version, p_max_rows) as each
    group by 1
  ) as measured
$$;
