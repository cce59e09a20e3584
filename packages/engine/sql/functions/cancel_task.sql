-- tasker.cancel_task: ends a task and every step of it that has not ended.
--
-- Running steps are cancelled too: their workers are told to abort them, and what
-- they still return is refused.
--
--   p_task_id          the task
--   p_actor, p_reason  who and why
--   p_now              the clock; only tests pass it
--
-- Returns    whether anything changed: false when it is cancelled already
-- Locks      as tasker.lock_task
-- Raises     TK030 no such task · TK032 the task has ended; one in error is resolved instead
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  src/store/cancel-task.ts

create or replace function tasker.cancel_task (
  p_task_id  uuid,
  p_actor    text default null,
  p_reason   text default null,
  p_now      timestamptz default now()
)
returns boolean
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task_id);
begin
  if v_task.state = 'cancelled' then
    return false;
  elsif v_task.state in ('complete', 'error', 'resolved_manually') then
    raise exception 'task % is % and cannot be cancelled', p_task_id, v_task.state
      using errcode = 'TK032', detail = v_task.state;
  end if;

  if exists (
    select from tasker.step_queue as queued
    where queued.task_id = p_task_id and queued.worker_id is not null
  ) then
    perform pg_notify('tasker', 'cancelled');
  end if;

  with before as materialized (
    select step.*
    from tasker.steps as step
    where step.task_id = p_task_id
      and step.state not in ('complete', 'skipped', 'resolved_manually', 'cancelled')
  ),
  cancelled as (
    insert into tasker.step_records (task_id, started_at, finished_at, state, step_no, waiting_on, attempts, max_attempts)
    select p_task_id, before.started_at, p_now, 'cancelled', before.step_no, before.waiting_on, before.attempts, before.max_attempts
    from before
    on conflict (task_id, step_no) do update
    set started_at = excluded.started_at,
        finished_at = excluded.finished_at,
        state = excluded.state,
        waiting_on = excluded.waiting_on,
        attempts = excluded.attempts,
        max_attempts = excluded.max_attempts
  ),
  dequeued as (
    delete from tasker.step_queue as queued where queued.task_id = p_task_id
  ),
  ended as (
    update tasker.tasks as task
    set state = 'cancelled',
        active_steps = 0,
        failed_steps = 0,
        finished_at = p_now
    where task.task_id = p_task_id
  )
  insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt, actor, reason)
  select p_now, p_task_id, before.state, 'cancelled'::tasker.state, before.step_no, nullif(before.attempts, 0), p_actor, p_reason
  from before
  union all
  select p_now, p_task_id, v_task.state, 'cancelled', null, null, p_actor, p_reason;
  return true;
end;
$$;
