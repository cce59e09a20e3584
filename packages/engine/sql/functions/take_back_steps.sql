-- tasker.take_back_steps: makes the steps that a worker holds ready again.
--
--   p_worker_id  the worker, its row locked
--   p_cause      worker_lost: the attempt counts; handed_back: it does not
--   p_keep_task_ids, p_keep_step_nos, p_keep_attempts  attempts that stay with the worker
--   p_now        the clock
--
-- Returns    how many steps it held
-- Locks      the worker's queue rows by key, then their tasks by id
-- Called by  sql/functions/{rescue_steps,stop_worker,recover_worker}.sql

create or replace function tasker.take_back_steps (
  p_worker_id      integer,
  p_cause          text,
  p_now            timestamptz,
  p_keep_task_ids  uuid[],
  p_keep_step_nos  smallint[],
  p_keep_attempts  smallint[]
)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_tasks uuid[];
  v_steps smallint[];
  v_held  record;
begin
  lock table tasker.step_queue in row exclusive mode;

  -- No index on worker_id: it would cost every claim, to save a scan of the queue
  -- when a worker dies.
  select array_agg(held.task_id), array_agg(held.step_no) into v_tasks, v_steps
  from (
    select queued.task_id, queued.step_no
    from tasker.step_queue as queued
    where queued.worker_id = p_worker_id
      and (queued.task_id, queued.step_no, queued.attempt) not in (
        select * from unnest(p_keep_task_ids, p_keep_step_nos, p_keep_attempts)
      )
    order by queued.task_id, queued.step_no
    for update
  ) as held;
  if v_tasks is null then
    return 0;
  end if;

  if p_cause = 'handed_back' then
    update tasker.steps as step
    set max_attempts = step.max_attempts + 1
    from unnest(v_tasks, v_steps) as held (task_id, step_no)
    where step.task_id = held.task_id
      and step.step_no = held.step_no;
  end if;

  select
    array_agg((case
      when step.attempts < step.max_attempts then 'waiting_for_retry'
      when definition.skippable then 'skipped'
      else 'error'
    end)::tasker.state order by held.ordinal) as states,
    array_agg(case when p_cause = 'worker_lost' then
      jsonb_build_object(
        'code', 'TASKER_WORKER_LOST',
        'message', format('worker %s was lost while it ran attempt %s', p_worker_id, step.attempts)
      )
    end order by held.ordinal) as errors,
    array_agg(p_cause) as causes,
    array_fill(p_now, array[count(*)::integer]) as run_ats
  into v_held
  from unnest(v_tasks, v_steps) with ordinality as held (task_id, step_no, ordinal)
  join tasker.steps as step on step.task_id = held.task_id and step.step_no = held.step_no
  join tasker.tasks as task on task.task_id = held.task_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = task.workflow_id
    and definition.step_no = held.step_no;

  perform tasker.dequeue_steps(v_tasks, v_steps, v_held.states, v_held.run_ats);
  perform from tasker.tasks as task
  where task.task_id = any (v_tasks)
  order by task.task_id
  for no key update;

  perform tasker.finish_steps(
    p_task_ids => v_tasks,
    p_step_nos => v_steps,
    p_states => v_held.states,
    p_results => null,
    p_errors => v_held.errors,
    p_from => 'in_progress',
    p_task_from => 'in_progress',
    p_were_active => true,
    p_worker_id => p_worker_id,
    p_room => 0,
    p_routes => '{}',
    p_causes => v_held.causes,
    p_actor => null,
    p_reason => null,
    p_now => p_now
  );
  perform pg_notify('tasker', 'ready');
  return cardinality(v_tasks);
end;
$$;
