-- tasker.next_task_state: the state that a task gets when its counters move.
--
-- No search_path here, so that the planner can inline it.
--
--   p_from           the state that it is in
--   p_open_steps     its steps that are not done
--   p_active_steps   its steps that can still move
--   p_is_started     whether one of them starts to run now
--
-- Called by  sql/functions/finish_steps.sql

create or replace function tasker.next_task_state (
  p_from          tasker.state,
  p_open_steps    integer,
  p_active_steps  integer,
  p_is_started    boolean
)
returns tasker.state
language sql
immutable
parallel safe
as $$
  select case
    when p_open_steps = 0 then 'complete'::tasker.state
    when p_active_steps = 0 then 'error'
    -- Retried, or somebody settled what it failed by.
    when p_from = 'error' or p_is_started then 'in_progress'
    else p_from
  end
$$;
