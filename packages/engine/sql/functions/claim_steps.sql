-- tasker.claim_steps: gives locked, ready steps to a worker, and starts their attempts.
--
--   p_worker_id             who runs them
--   p_task_ids, p_step_nos  the steps, their queue rows locked, and their tasks where
--                           these are still pending
--   p_now                   the clock
--
-- Locks      nothing that the caller has not locked
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/advance.sql

create or replace function tasker.claim_steps (
  p_worker_id  integer,
  p_task_ids   uuid[],
  p_step_nos   smallint[],
  p_now        timestamptz
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
  with claimed as (
    update tasker.step_queue as queued
    set worker_id = p_worker_id,
        attempt = queued.attempt + 1
    from unnest(p_task_ids, p_step_nos) as given (task_id, step_no)
    where queued.task_id = given.task_id
      and queued.step_no = given.step_no
  ),
  before as materialized (
    select step.task_id, step.step_no, step.state
    from unnest(p_task_ids, p_step_nos) as given (task_id, step_no)
    join tasker.steps as step on step.task_id = given.task_id and step.step_no = given.step_no
  ),
  started as (
    update tasker.steps as step
    set state = 'in_progress',
        attempts = step.attempts + 1,
        started_at = p_now
    from before
    where step.task_id = before.task_id
      and step.step_no = before.step_no
    returning step.task_id, step.step_no, step.attempts, before.state as from_state
  ),
  begun as (
    update tasker.tasks as task
    set state = 'in_progress',
        started_at = p_now
    where task.task_id = any (p_task_ids)
      and task.state = 'pending'
    returning task.task_id
  )
  insert into tasker.transitions (at, task_id, worker_id, from_state, to_state, step_no, attempt)
  select p_now, begun.task_id, p_worker_id, 'pending'::tasker.state, 'in_progress'::tasker.state, null::smallint, null::smallint
  from begun
  union all
  select p_now, started.task_id, p_worker_id, started.from_state, 'in_progress', started.step_no, started.attempts
  from started;
end;
$$;
