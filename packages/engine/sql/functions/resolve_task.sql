-- tasker.resolve_task: closes a failed task that somebody settled by other means.
--
-- Its steps stay as they are, for the record.
--
--   p_task_id          the task, in error
--   p_actor, p_reason  who and why
--   p_now              the clock; only tests pass it
--
-- Returns    whether anything changed: false when it is resolved already
-- Locks      as tasker.lock_task
-- Raises     TK030 no such task · TK032 the task is not in error
-- Called by  src/store/resolve-task.ts

create or replace function tasker.resolve_task (
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
  if v_task.state = 'resolved_manually' then
    return false;
  elsif v_task.state <> 'error' then
    raise exception 'task % is % and cannot be resolved', p_task_id, v_task.state
      using errcode = 'TK032', detail = v_task.state;
  end if;

  update tasker.tasks as task
  set state = 'resolved_manually',
      finished_at = p_now
  where task.task_id = p_task_id;

  insert into tasker.transitions (at, task_id, from_state, to_state, cause, actor, reason)
  values (p_now, p_task_id, 'error', 'resolved_manually', 'resolved', p_actor, p_reason);
  return true;
end;
$$;
