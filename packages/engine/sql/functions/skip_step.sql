-- tasker.skip_step: lets a task go on without a step that may be skipped.
--
--   p_task_id, p_step_name  the step: pending, waiting for its retry, or in error
--   p_actor, p_reason       who and why
--   p_now                   the clock; only tests pass it
--
-- Returns    whether anything changed: false when it is skipped already
-- Locks      as tasker.lock_task
-- Raises     TK030 no such task · TK031 no such step · TK032 the step runs or has ended
--            · TK033 the step is not skippable
-- Called by  src/store/skip-step.ts

create or replace function tasker.skip_step (
  p_task_id    uuid,
  p_step_name  text,
  p_actor      text default null,
  p_reason     text default null,
  p_now        timestamptz default now()
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_task tasker.tasks := tasker.lock_task(p_task_id);
  v_step record;
begin
  select * into v_step from tasker.find_step(p_task_id, p_step_name);
  if v_step.state = 'skipped' then
    return false;
  elsif not v_step.skippable then
    raise exception 'step "%" of task % is not skippable', p_step_name, p_task_id using errcode = 'TK033';
  elsif v_step.state not in ('pending', 'waiting_for_retry', 'error') or v_task.state = 'resolved_manually' then
    raise exception 'step "%" of task % is % and cannot be skipped', p_step_name, p_task_id, v_step.state
      using errcode = 'TK032', detail = v_step.state;
  end if;

  perform tasker.settle_step(
    p_task_id, v_step.step_no, v_step.state, 'skipped', null, 'skipped', p_actor, p_reason, p_now
  );
  perform pg_notify('tasker', 'ready');
  return true;
end;
$$;
