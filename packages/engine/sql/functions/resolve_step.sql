-- tasker.resolve_step: gives a step the result that somebody found by hand.
--
--   p_task_id, p_step_name  the step: pending, waiting for its retry, or in error
--   p_result                what its dependents see
--   p_actor, p_reason       who and why
--   p_now                   the clock; only tests pass it
--
-- Returns    whether anything changed: false when it is resolved already
-- Locks      as tasker.lock_task
-- Raises     TK030 no such task · TK031 no such step · TK032 the step runs or has ended
-- Called by  src/store/resolve-step.ts

create or replace function tasker.resolve_step (
  p_task_id    uuid,
  p_step_name  text,
  p_result     jsonb default null,
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
  if v_step.state = 'resolved_manually' then
    return false;
  elsif v_step.state not in ('pending', 'waiting_for_retry', 'error') or v_task.state = 'resolved_manually' then
    raise exception 'step "%" of task % is % and cannot be resolved', p_step_name, p_task_id, v_step.state
      using errcode = 'TK032', detail = v_step.state;
  end if;

  perform tasker.settle_step(
    p_task_id, v_step.step_no, v_step.state, 'resolved_manually', p_result, 'resolved', p_actor, p_reason, p_now
  );
  perform pg_notify('tasker', 'ready');
  return true;
end;
$$;
