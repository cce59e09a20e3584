-- tasker.attempt_analysis: of the attempts that ended in a period, which steps took most time, and
-- which dependencies held back most.
--
--   p_since, p_until  ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_max_rows        as for tasker.measured_attempts
--   p_limit           how many steps, and how many dependencies
--   p_bounds          bounds of the buckets, in milliseconds, rising
--
-- Returns    one object. Durations are as tasker.summarize_ms has them.
--   tasks, attempts   how many were measured
--   run, queue, retry of all of them
--   runBuckets, queueBuckets  as tasker.count_buckets has them
--   steps         those that took most time, in their queue, between attempts and running together
--   dependencies  those that alone kept others waiting for the longest time together
-- Called by  src/store/analytics/attempt-analysis.ts

create or replace function tasker.attempt_analysis (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_max_rows   integer,
  p_limit      integer,
  p_bounds     double precision[]
)
returns jsonb
language sql
stable
as $$
  with attempt as materialized (
    select * from tasker.measured_attempts(p_since, p_until, p_namespace, p_workflow, p_version, p_max_rows)
  ),
  slow as (
    select
      attempt.workflow_id,
      attempt.step_no,
      count(*) as attempts,
      sum(attempt.run_ms) + coalesce(sum(attempt.queue_ms), 0) + coalesce(sum(attempt.retry_ms), 0) as total_ms,
      array_agg(attempt.run_ms) as runs,
      array_agg(attempt.queue_ms) as queues,
      array_agg(attempt.retry_ms) as retries
    from attempt
    group by attempt.workflow_id, attempt.step_no
    order by total_ms desc, attempt.workflow_id, attempt.step_no
    limit p_limit
  ),
  holding as (
    select attempt.workflow_id, attempt.step_no, attempt.held_by, sum(attempt.held_ms) as total_ms, array_agg(attempt.held_ms) as holds
    from attempt
    where attempt.held_by is not null
    group by attempt.workflow_id, attempt.step_no, attempt.held_by
    order by total_ms desc, attempt.workflow_id, attempt.step_no, attempt.held_by
    limit p_limit
  )
  select jsonb_build_object(
    'tasks', count(distinct attempt.task_id),
    'attempts', count(*),
    'run', tasker.summarize_ms(array_agg(attempt.run_ms)),
    'queue', tasker.summarize_ms(array_agg(attempt.queue_ms)),
    'retry', tasker.summarize_ms(array_agg(attempt.retry_ms)),
    'runBuckets', tasker.count_buckets(array_agg(attempt.run_ms), p_bounds),
    'queueBuckets', tasker.count_buckets(array_agg(attempt.queue_ms), p_bounds),
    'steps', coalesce((
      select jsonb_agg(jsonb_build_object(
        'workflow', jsonb_build_object('namespace', workflow.namespace, 'name', workflow.name, 'version', workflow.version),
        'step', definition.name,
        'attempts', slow.attempts,
        'totalMs', slow.total_ms,
        'run', tasker.summarize_ms(slow.runs),
        'queue', tasker.summarize_ms(slow.queues),
        'retry', tasker.summarize_ms(slow.retries)
      ) order by slow.total_ms desc, slow.workflow_id, slow.step_no)
      from slow
      join tasker.workflows as workflow on workflow.workflow_id = slow.workflow_id
      join tasker.workflow_steps as definition
        on definition.workflow_id = slow.workflow_id
        and definition.step_no = slow.step_no
    ), '[]'),
    'dependencies', coalesce((
      select jsonb_agg(jsonb_build_object(
        'workflow', jsonb_build_object('namespace', workflow.namespace, 'name', workflow.name, 'version', workflow.version),
        'step', definition.name,
        'dependsOn', above.name,
        'held', tasker.summarize_ms(holding.holds)
      ) order by holding.total_ms desc, holding.workflow_id, holding.step_no, holding.held_by)
      from holding
      join tasker.workflows as workflow on workflow.workflow_id = holding.workflow_id
      join tasker.workflow_steps as definition
        on definition.workflow_id = holding.workflow_id
        and definition.step_no = holding.step_no
      join tasker.workflow_steps as above
        on above.workflow_id = holding.workflow_id
        and above.step_no = holding.held_by
    ), '[]')
  )
  from attempt
$$;
