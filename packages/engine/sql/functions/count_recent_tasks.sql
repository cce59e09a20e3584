-- tasker.count_recent_tasks: how the tasks that were created of late stand.
--
-- Finds them in the history of that time, by its index on time; tasker.count_tasks finds those of a
-- longer period by their keys.
--
--   p_since  created then or later
--
-- Returns    a row per state; states without tasks are left out
-- Called by  src/store/analytics/count-recent-tasks.ts

create or replace function tasker.count_recent_tasks (p_since timestamptz)
returns table (state tasker.state, count bigint)
language sql
stable
set search_path = ''
as $$
  select task.state, count(*)
  from tasker.transitions as creation
  join tasker.tasks as task on task.task_id = creation.task_id
  where creation.at >= p_since
    and creation.step_no is null
    and creation.from_state is null
  group by task.state
$$;
