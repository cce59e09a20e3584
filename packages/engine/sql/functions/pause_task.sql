-- tasker.pause_task: stops handing out a task's steps. What runs goes on to its end.
--
--   p_task_id          the task
--   p_actor, p_reason  who and why
--   p_now              the clock; only tests pass it
--
-- Returns    whether anything changed: false when it is paused already
-- Locks      as tasker.lock_task
-- Raises     TK030 no such task · TK032 the task has ended
-- Called by  src/store/pause-task.ts

create or replace function tasker.pause_task (
  p_task_id  uuid,
  p_actor    text default null,
  p_reason   text default null,
  p_now      timestamptz default now()
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task_id);
begin
  if v_task.state not in ('pending', 'in_progress', 'error') then
    raise exception 'task % is % and cannot be paused', p_task_id, v_task.state
      using errcode = 'TK032', detail = v_task.state;
  elsif v_task.paused_at is not null then
    return false;
  end if;

  update tasker.step_queue as queued
  set held = true
  where queued.task_id = p_task_id
    and queued.worker_id is null;

  update tasker.tasks as task
  set paused_at = p_now
  where task.task_id = p_task_id;

  insert into tasker.transitions (at, task_id, from_state, to_state, cause, actor, reason)
  values (p_now, p_task_id, v_task.state, v_task.state, 'paused', p_actor, p_reason);
  return true;
end;
$$;
