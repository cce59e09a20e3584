-- tasker.settle_step: ends one step that nobody runs, on somebody's word.
--
--   p_task_id, p_step_no     the step
--   p_from, p_to             the state it is in, and the one it gets
--   p_result                 its result, where it gets one
--   p_cause, p_actor, p_reason  for the transition
--   p_now                    the clock
--
-- Locks      the table step_queue (row exclusive), and nothing else that the caller has not locked
-- Called by  sql/functions/{bypass_steps,skip_step,resolve_step}.sql

create or replace function tasker.settle_step (
  p_task_id  uuid,
  p_step_no  smallint,
  p_from     tasker.state,
  p_to       tasker.state,
  p_result   jsonb,
  p_cause    text,
  p_actor    text,
  p_reason   text,
  p_now      timestamptz
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_step       record;
  v_was_queued boolean;
begin
  lock table tasker.step_queue in row exclusive mode;
  select
    step.attempts,
    step.max_attempts,
    step.started_at,
    exists (
      select from tasker.step_records as record
      where record.task_id = p_task_id
        and record.step_no = p_step_no
    ) as is_recorded,
    task.state as task_state
  into v_step
  from tasker.tasks as task
  join tasker.steps as step on step.task_id = task.task_id
  where task.task_id = p_task_id
    and step.task_id = p_task_id
    and step.step_no = p_step_no;

  delete from tasker.step_queue as queued
  where queued.task_id = p_task_id
    and queued.step_no = p_step_no;
  v_was_queued := found;

  perform tasker.finish_steps(
    p_task_ids => array[p_task_id],
    p_step_nos => array[p_step_no],
    p_states => array[p_to],
    p_results => array[p_result],
    p_errors => null,
    p_causes => array[p_cause],
    p_attempts => array[v_step.attempts],
    p_max_attempts => array[v_step.max_attempts],
    p_started_ats => array[v_step.started_at],
    p_recorded => array[v_step.is_recorded],
    p_from => p_from,
    p_task_from => v_step.task_state,
    p_were_active => v_was_queued,
    p_worker_id => null,
    p_room => 0,
    p_routes => '{}',
    p_actor => p_actor,
    p_reason => p_reason,
    p_now => p_now
  );
end;
$$;
