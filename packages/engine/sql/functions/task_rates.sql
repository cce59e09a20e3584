-- tasker.task_rates: how many tasks were created, and how many ended, in each part of a period.
--
-- Reads the history of the period, by its index on time. A task that failed twice
-- counts twice.
--
--   p_since, p_until  the period: from then on, and before
--   p_part            how long each part is; the last one ends with the period
--   p_namespace, p_workflow, p_version  filters, null for none
--
-- Returns    a row per part, in order, with zeros where nothing happened
-- Called by  src/store/analytics/task-rates.ts

create or replace function tasker.task_rates (
  p_since      timestamptz,
  p_until      timestamptz,
  p_part       interval,
  p_namespace  text,
  p_workflow   text,
  p_version    text
)
returns table (
  since     timestamptz,
  until     timestamptz,
  created   bigint,
  completed bigint,
  failed    bigint,
  cancelled bigint,
  resolved  bigint
)
language sql
stable
as $$
  select
    part.since,
    least(part.since + p_part, p_until),
    coalesce(counted.created, 0),
    coalesce(counted.completed, 0),
    coalesce(counted.failed, 0),
    coalesce(counted.cancelled, 0),
    coalesce(counted.resolved, 0)
  from generate_series(p_since, p_until - interval '1 microsecond', p_part) with ordinality as part (since, ordinal)
  left join (
    select
      floor(extract(epoch from transition.at - p_since) / extract(epoch from p_part))::bigint + 1 as ordinal,
      count(*) filter (where transition.from_state is null) as created,
      count(*) filter (where transition.to_state = 'complete') as completed,
      count(*) filter (where transition.to_state = 'error') as failed,
      count(*) filter (where transition.to_state = 'cancelled') as cancelled,
      count(*) filter (where transition.to_state = 'resolved_manually') as resolved
    from tasker.transitions as transition
    where transition.at >= p_since
      and transition.at < p_until
      and transition.step_no is null
      and transition.from_state is distinct from transition.to_state
      and (
        coalesce(p_namespace, p_workflow, p_version) is null
        or exists (
          select from tasker.tasks as task
          where task.task_id = transition.task_id
            and task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
        )
      )
    group by 1
  ) as counted on counted.ordinal = part.ordinal
  order by part.ordinal
$$;
