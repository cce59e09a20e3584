-- tasker.release_steps: takes steps out of the queue, or leaves them there until their retry.
--
--   p_task_ids, p_step_nos  the steps, their queue rows locked
--   p_states                what each becomes; waiting_for_retry stays in the queue
--   p_max_attempts          how many attempts each of these may have
--   p_run_ats               when each of these may run
--
-- Locks      nothing that the caller has not locked
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/{take_outcomes,take_back_steps}.sql

create or replace function tasker.release_steps (
  p_task_ids      uuid[],
  p_step_nos      smallint[],
  p_states        tasker.state[],
  p_max_attempts  smallint[],
  p_run_ats       timestamptz[]
)
returns void
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  delete from tasker.step_queue as queued
  using unnest(p_task_ids, p_step_nos, p_states) as gone (task_id, step_no, state)
  where gone.state <> 'waiting_for_retry'
    and queued.task_id = gone.task_id
    and queued.step_no = gone.step_no;

  update tasker.step_queue as queued
  set worker_id = null,
      run_at = delayed.run_at,
      max_attempts = delayed.max_attempts,
      -- How the attempt failed is recorded.
      is_recorded = true,
      -- Whoever pauses the task waits for this row, and then holds it.
      held = task.paused_at is not null
  from unnest(p_task_ids, p_step_nos, p_states, p_max_attempts, p_run_ats)
    as delayed (task_id, step_no, state, max_attempts, run_at)
  join tasker.tasks as task on task.task_id = delayed.task_id
  where delayed.state = 'waiting_for_retry'
    and queued.task_id = delayed.task_id
    and queued.step_no = delayed.step_no;
end;
$$;
