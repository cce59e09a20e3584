-- tasker.period_counts: what happened in a period, counted.
--
-- Reads the history of the period, by its index on time.
--
--   p_since, p_until  happened then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_by_workflow     whether to count each workflow by itself
--
-- Returns    a row, or one per workflow row when asked for; none when nothing happened. A task or a
--            step that failed twice counts twice. attempts_… count attempts that ended: what an operator
--            does to a step that does not run is none, and one that a stopping worker handed back
--            counts as started alone. retried_and_… count what tasker.ends_after_retry returns
-- Called by  src/store/analytics/period-counts.ts

create or replace function tasker.period_counts (
  p_since        timestamptz,
  p_until        timestamptz,
  p_namespace    text,
  p_workflow     text,
  p_version      text,
  p_by_workflow  boolean
)
returns table (
  workflow_id           integer,
  tasks_created         bigint,
  tasks_completed       bigint,
  tasks_failed          bigint,
  tasks_cancelled       bigint,
  tasks_resolved        bigint,
  attempts_started      bigint,
  attempts_completed    bigint,
  attempts_retried      bigint,
  attempts_failed       bigint,
  attempts_skipped      bigint,
  attempts_cancelled    bigint,
  retried_and_completed bigint,
  retried_and_failed    bigint
)
language sql
stable
as $$
  select
    counted.*,
    coalesce(after_retry.completed, 0),
    coalesce(after_retry.failed, 0)
  from (
    select
      case when p_by_workflow then task.workflow_id end as workflow_id,
      sum(happened.tasks_created)::bigint as tasks_created,
      sum(happened.tasks_completed)::bigint as tasks_completed,
      sum(happened.tasks_failed)::bigint as tasks_failed,
      sum(happened.tasks_cancelled)::bigint as tasks_cancelled,
      sum(happened.tasks_resolved)::bigint as tasks_resolved,
      sum(happened.attempts_started)::bigint as attempts_started,
      sum(happened.attempts_completed)::bigint as attempts_completed,
      sum(happened.attempts_retried)::bigint as attempts_retried,
      sum(happened.attempts_failed)::bigint as attempts_failed,
      sum(happened.attempts_skipped)::bigint as attempts_skipped,
      sum(happened.attempts_cancelled)::bigint as attempts_cancelled
    from (
      select
        -- Whose it is matters only then: nobody's task is looked up otherwise.
        case when p_by_workflow or coalesce(p_namespace, p_workflow, p_version) is not null then change.task_id end as task_id,
        count(*) filter (where change.step_no is null and change.from_state is null) as tasks_created,
        count(*) filter (where change.step_no is null and change.to_state = 'complete') as tasks_completed,
        count(*) filter (where change.step_no is null and change.to_state = 'error') as tasks_failed,
        count(*) filter (where change.step_no is null and change.to_state = 'cancelled') as tasks_cancelled,
        count(*) filter (where change.step_no is null and change.to_state = 'resolved_manually') as tasks_resolved,
        count(*) filter (where change.step_no is not null and change.to_state = 'in_progress') as attempts_started,
        count(*) filter (where change.is_attempt and change.to_state = 'complete') as attempts_completed,
        count(*) filter (
          where change.is_attempt and change.to_state = 'waiting_for_retry' and change.cause is distinct from 'handed_back'
        ) as attempts_retried,
        count(*) filter (where change.is_attempt and change.to_state = 'error') as attempts_failed,
        count(*) filter (where change.is_attempt and change.to_state = 'skipped') as attempts_skipped,
        count(*) filter (where change.is_attempt and change.to_state = 'cancelled') as attempts_cancelled
      from (
        select transition.*, transition.step_no is not null and transition.from_state = 'in_progress' as is_attempt
        from tasker.transitions as transition
        where transition.at >= p_since
          and transition.at < p_until
          and transition.from_state is distinct from transition.to_state
      ) as change
      group by 1
    ) as happened
    left join tasker.tasks as task on task.task_id = happened.task_id
    where coalesce(p_namespace, p_workflow, p_version) is null
      or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
    group by 1
  ) as counted
  left join (
    select
      case when p_by_workflow then ended.workflow_id end as workflow_id,
      count(*) filter (where ended.state = 'complete') as completed,
      count(*) filter (where ended.state <> 'complete') as failed
    from tasker.ends_after_retry(p_since, p_until, p_namespace, p_workflow, p_version) as ended
    group by 1
  ) as after_retry on after_retry.workflow_id is not distinct from counted.workflow_id
$$;
