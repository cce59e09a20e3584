-- tasker.ends_after_retry: the ends of steps in a period that followed a retry.
--
-- Only then was there a retry when the attempt before failed and another was to follow: by its own error, or because its
-- worker was lost. An attempt that a stopping worker handed back does not count, and what an operator retries starts over,
-- since the attempt before was the last of its set. The number of the last attempt tells none of this. So this reads the history of the period, by its index
-- on time, for steps that ended by a second attempt or a later one; and then that of their tasks, each once.
--
--   p_since, p_until  ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--
-- Returns    a row per end by an attempt: complete, error or skipped
-- Called by  sql/functions/{period_counts,retried_steps}.sql

create or replace function tasker.ends_after_retry (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text
)
returns table (workflow_id integer, step_no smallint, state tasker.state)
language sql
stable
as $$
  select task.workflow_id, attempt.step_no, attempt.to_state
  from (
    select distinct transition.task_id
    from tasker.transitions as transition
    where transition.at >= p_since
      and transition.at < p_until
      and transition.step_no is not null
      and transition.from_state = 'in_progress'
      and transition.to_state in ('complete', 'error', 'skipped')
      and transition.attempt > 1
  ) as later
  join tasker.tasks as task on task.task_id = later.task_id
  -- Task by task, by the index on it: else the history of all time may be read.
  cross join lateral (
    select
      own.step_no,
      own.to_state,
      own.at,
      lag(own.to_state) over (partition by own.step_no order by own.transition_id) as before
    from tasker.transitions as own
    where own.task_id = task.task_id
      and own.step_no is not null
      and own.from_state = 'in_progress'
      and own.to_state in ('waiting_for_retry', 'complete', 'error', 'skipped')
      and (own.to_state <> 'waiting_for_retry' or own.cause is distinct from 'handed_back')
  ) as attempt
  where attempt.before = 'waiting_for_retry'
    and attempt.to_state <> 'waiting_for_retry'
    and attempt.at >= p_since
    and attempt.at < p_until
    and (
      coalesce(p_namespace, p_workflow, p_version) is null
      or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
    )
$$;
