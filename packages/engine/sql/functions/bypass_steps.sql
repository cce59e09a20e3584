-- tasker.bypass_steps: skips steps of tasks that are being created.
--
--   p_requests  as for tasker.create_tasks
--   p_task_ids  the task of each request
--   p_created   those that this call created; the others are left alone
--   p_now       the clock
--
-- Raises     TK021 when a step is unknown or not skippable
-- Plans      kept, and by index only; the caller's are by hash, and would be inherited
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.bypass_steps (
  p_requests  jsonb,
  p_task_ids  uuid[],
  p_created   uuid[],
  p_now       timestamptz
)
returns void
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_bypassed record;
begin
  for v_bypassed in
    select
      task.task_id,
      task.initiator,
      task.reason,
      bypass.name,
      definition.skippable,
      definition.step_no,
      definition.step_no is not null as is_known
    from rows from (jsonb_array_elements(p_requests), unnest(p_task_ids)) as given (value, task_id)
    join tasker.tasks as task on task.task_id = given.task_id
    cross join lateral (
      select distinct jsonb_array_elements_text(given.value -> 'bypass') as name
    ) as bypass
    left join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.name = bypass.name
    where task.task_id = any (p_created)
    order by task.task_id, definition.step_no
  loop
    if not v_bypassed.is_known then
      raise exception 'cannot bypass step "%": the workflow has no such step', v_bypassed.name using errcode = 'TK021';
    elsif not v_bypassed.skippable then
      raise exception 'cannot bypass step "%": it is not skippable', v_bypassed.name using errcode = 'TK021';
    end if;
    perform tasker.settle_step(
      v_bypassed.task_id, v_bypassed.step_no, 'pending', 'skipped', null, 'bypassed', v_bypassed.initiator,
      v_bypassed.reason, p_now
    );
  end loop;

  -- What comes after a bypassed step may not run earlier than that could have.
  update tasker.step_queue as queued
  set run_at = (given.value ->> 'run_at')::timestamptz
  from rows from (jsonb_array_elements(p_requests), unnest(p_task_ids)) as given (value, task_id)
  where queued.task_id = given.task_id
    and given.task_id = any (p_created)
    and given.value ? 'bypass'
    and (given.value ->> 'run_at')::timestamptz > queued.run_at;
end;
$$;
