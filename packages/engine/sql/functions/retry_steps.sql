-- tasker.retry_steps: gives failed steps of a task another set of attempts, at once.
--
-- A step in error starts over with as many attempts as its workflow allows; one
-- that waits for its retry need not wait any longer. Steps that are ready or
-- running already are left alone.
--
--   p_task_id          the task
--   p_step_name        the step, or null for every step in error
--   p_actor, p_reason  who and why
--   p_now              the clock; only tests pass it
--
-- Returns    whether anything changed
-- Locks      as tasker.lock_task
-- Raises     TK030 no such task · TK031 no such step · TK032 the task or the step is done or
--            cancelled, so there is nothing to retry
-- Called by  src/store/retry-steps.ts

create or replace function tasker.retry_steps (
  p_task_id    uuid,
  p_step_name  text default null,
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
  v_task     tasker.tasks := tasker.lock_task(p_task_id);
  v_step     record;
  v_retried  integer;
begin
  lock table tasker.step_queue in row exclusive mode;
  if v_task.state not in ('pending', 'in_progress', 'error') then
    raise exception 'task % is % and cannot be retried', p_task_id, v_task.state
      using errcode = 'TK032', detail = v_task.state;
  end if;
  if p_step_name is not null then
    select * into v_step from tasker.find_step(p_task_id, p_step_name);
    if v_step.state not in ('error', 'waiting_for_retry', 'pending', 'in_progress') then
      raise exception 'step "%" of task % is % and cannot be retried', p_step_name, p_task_id, v_step.state
        using errcode = 'TK032', detail = v_step.state;
    elsif v_step.state = 'waiting_for_retry' then
      update tasker.step_queue as queued
      set run_at = p_now
      where queued.task_id = p_task_id
        and queued.step_no = v_step.step_no
        and queued.run_at > p_now;
      if not found then
        return false;
      end if;
      insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt, cause, actor, reason)
      values (p_now, p_task_id, v_step.state, v_step.state, v_step.step_no, v_step.attempts, 'hastened', p_actor, p_reason);
      perform pg_notify('tasker', 'ready');
      return true;
    end if;
  end if;

  with retried as (
    update tasker.step_records as record
    set state = 'pending',
        finished_at = null,
        max_attempts = record.attempts + definition.max_attempts
    from tasker.workflow_steps as definition
    where record.task_id = p_task_id
      and record.state = 'error'
      and definition.workflow_id = v_task.workflow_id
      and definition.step_no = record.step_no
      and (p_step_name is null or definition.name = p_step_name)
    returning record.step_no, record.attempts, record.max_attempts, definition.route_id,
      coalesce(definition.priority, v_task.priority) as priority
  ),
  queued as (
    insert into tasker.step_queue
      (task_id, run_at, route_id, worker_id, step_no, attempt, max_attempts, priority, held, limited, is_recorded)
    select p_task_id, p_now, retried.route_id, null, retried.step_no, retried.attempts, retried.max_attempts,
      retried.priority, v_task.paused_at is not null, tasker.is_limited(retried.route_id), true
    from retried
  ),
  recorded as (
    insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt, cause, actor, reason)
    select p_now, p_task_id, 'error'::tasker.state, 'pending'::tasker.state, retried.step_no, retried.attempts, 'retried', p_actor, p_reason
    from retried
    union all
    select p_now, p_task_id, 'error', 'in_progress', null, null, 'retried', p_actor, p_reason
    where v_task.state = 'error'
      and exists (select from retried)
  )
  select count(*) into v_retried from retried;

  if v_retried = 0 then
    return false;
  end if;
  update tasker.tasks as task
  set state = case when task.state = 'error' then 'in_progress' else task.state end,
      finished_at = null,
      active_steps = task.active_steps + v_retried,
      failed_steps = task.failed_steps - v_retried
  where task.task_id = p_task_id;
  perform pg_notify('tasker', 'ready');
  return true;
end;
$$;
