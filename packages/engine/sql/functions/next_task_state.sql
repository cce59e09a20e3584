-- tasker.next_task_state: the state that a task gets when its counters move.
--
-- No search_path here, so that the planner can inline it.
--
--   p_from           the state that it is in
--   p_active_steps   its steps that can still move
--   p_failed_steps   its steps in error
--
-- Called by  sql/functions/move_counters.sql

create or replace function tasker.next_task_state (
  p_from          tasker.state,
  p_active_steps  integer,
  p_failed_steps  integer
)
returns tasker.state
language sql
immutable
parallel safe
as $$
  select case
    -- What is neither done nor active waits for a parent that is neither, and so on up to one
    -- that failed. So where nothing failed, all are done.
    when p_active_steps = 0 and p_failed_steps = 0 then 'complete'::tasker.state
    when p_active_steps = 0 then 'error'
    -- Retried, or somebody settled what it failed by.
    when p_from = 'error' then 'in_progress'
    else p_from
  end
$$;
