-- tasker.standing_failures: tasks that failed and that nobody has dealt with, among those created since.
--
-- Finds the tasks by the index of the rare states, which holds a row per task that ever failed, in the
-- order of their creation; so it reads those of the period alone.
--
--   p_since  created then or later
--
-- Returns    one row: tasks in error; their steps in error, exhausted_steps of which have had every attempt,
--            the others having failed for good before
-- Called by  src/store/analytics/standing-failures.ts

create or replace function tasker.standing_failures (p_since timestamptz)
returns table (tasks bigint, steps bigint, exhausted_steps bigint)
language sql
stable
set search_path = ''
as $$
  select
    count(distinct task.task_id),
    count(record.step_no),
    count(record.step_no) filter (where record.attempts >= record.max_attempts)
  from (
    select distinct transition.task_id
    from tasker.transitions as transition
    where transition.to_state = 'error'
      and transition.step_no is null
      -- As in tasker.list_tasks, the keys are within a day of created_at.
      and transition.task_id >= tasker.uuid_v7_at(p_since - interval '1 day')
  ) as failed
  join tasker.tasks as task
    on task.task_id = failed.task_id
    and task.state = 'error'
    and task.created_at >= p_since
  left join tasker.step_records as record
    on record.task_id = task.task_id
    and record.state = 'error'
$$;
