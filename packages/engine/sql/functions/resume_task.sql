-- tasker.resume_task: hands out a paused task's steps again.
--
--   p_task_id          the task
--   p_actor, p_reason  who and why
--   p_now              the clock; only tests pass it
--
-- Returns    whether anything changed: false when it is not paused
-- Locks      as tasker.lock_task
-- Raises     TK030 no such task
-- Called by  src/store/resume-task.ts

create or replace function tasker.resume_task (
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
  if v_task.paused_at is null then
    return false;
  end if;

  update tasker.step_queue as queued
  set held = false
  where queued.task_id = p_task_id
    and queued.held;

  update tasker.tasks as task
  set paused_at = null
  where task.task_id = p_task_id;

  insert into tasker.transitions (at, task_id, from_state, to_state, cause, actor, reason)
  values (p_now, p_task_id, v_task.state, v_task.state, 'resumed', p_actor, p_reason);
  perform pg_notify('tasker', 'ready');
  return true;
end;
$$;
