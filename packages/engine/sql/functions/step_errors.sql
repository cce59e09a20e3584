-- tasker.step_errors: the errors of the attempts that failed in a period, grouped.
--
-- Reads the history of the period, by its index on time, and the errors in it. Messages that differ in
-- ids and numbers alone count as one.
--
--   p_since, p_until  failed then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_limit           how many groups
--
-- Returns    the most frequent groups: how many attempts failed so, of how many tasks, how many of these
--            attempts were their step's last, how many failed in all, and the message of the latest
-- Called by  src/store/analytics/step-errors.ts

create or replace function tasker.step_errors (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_limit      integer
)
returns table (
  code      text,
  message   text,
  count     bigint,
  tasks     bigint,
  final     bigint,
  total     bigint,
  first_at  timestamptz,
  last_at   timestamptz,
  latest    text
)
language sql
stable
as $$
  select
    grouped.code,
    grouped.message,
    grouped.count,
    grouped.tasks,
    grouped.final,
    -- Of all groups, before the limit.
    (sum(grouped.count) over ())::bigint,
    grouped.first_at,
    grouped.last_at,
    grouped.latest
  from (
    select
      failed.code,
      failed.message,
      count(*) as count,
      count(distinct failed.task_id) as tasks,
      count(*) filter (where failed.to_state <> 'waiting_for_retry') as final,
      min(failed.at) as first_at,
      max(failed.at) as last_at,
      (array_agg(failed.original order by failed.at desc, failed.transition_id desc))[1] as latest
    from (
      select
        transition.task_id,
        transition.transition_id,
        transition.at,
        transition.to_state,
        transition.error ->> 'code' as code,
        left(transition.error ->> 'message', 500) as original,
        regexp_replace(
          regexp_replace(
            left(transition.error ->> 'message', 500),
            '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}', '#', 'gi'
          ),
          '[0-9]+', '#', 'g'
        ) as message
      from tasker.transitions as transition
      where transition.at >= p_since
        and transition.at < p_until
        and transition.step_no is not null
        and transition.from_state = 'in_progress'
        and transition.to_state in ('waiting_for_retry', 'error', 'skipped')
        and transition.error is not null
        and (
          coalesce(p_namespace, p_workflow, p_version) is null
          or exists (
            select from tasker.tasks as task
            where task.task_id = transition.task_id
              and task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
          )
        )
    ) as failed
    group by failed.code, failed.message
  ) as grouped
  order by grouped.count desc, grouped.code, grouped.message
  limit p_limit
$$;
