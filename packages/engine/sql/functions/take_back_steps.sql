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
  v_held record;
begin
  lock table tasker.step_queue in row exclusive mode;

  select
    array_agg(judged.task_id) as task_ids,
    array_agg(judged.step_no) as step_nos,
    array_agg(judged.state) as states,
    array_agg(case when p_cause = 'worker_lost' then
      jsonb_build_object(
        'code', 'TASKER_WORKER_LOST',
        'message', format('worker %s was lost while it ran attempt %s', p_worker_id, judged.attempt)
      )
    end) as errors,
    array_agg(p_cause) as causes,
    array_agg(judged.attempt) as attempts,
    array_agg(judged.max_attempts) as max_attempts,
    array_agg(judged.started_at) as started_ats,
    array_agg(judged.is_recorded) as recorded,
    array_agg(p_now) as run_ats
  into v_held
  from (
    select
      held.*,
      (case
        when held.attempt < held.max_attempts then 'waiting_for_retry'
        when definition.skippable then 'skipped'
        else 'error'
      end)::tasker.state as state
    from (
      -- No index on worker_id: it would cost every claim, to save a scan of the queue
      -- when a worker dies.
      select
        queued.task_id, queued.step_no, queued.attempt, queued.started_at, queued.is_recorded,
        -- An attempt that is handed back does not count.
        (queued.max_attempts + case p_cause when 'handed_back' then 1 else 0 end)::smallint as max_attempts
      from tasker.step_queue as queued
      where queued.worker_id = p_worker_id
        and (queued.task_id, queued.step_no, queued.attempt) not in (
          select * from unnest(p_keep_task_ids, p_keep_step_nos, p_keep_attempts)
        )
      order by queued.task_id, queued.step_no
      for update
    ) as held
    join tasker.tasks as task on task.task_id = held.task_id
    join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.step_no = held.step_no
  ) as judged;
  if v_held.task_ids is null then
    return 0;
  end if;

  perform tasker.release_steps(v_held.task_ids, v_held.step_nos, v_held.states, v_held.max_attempts, v_held.run_ats);
  perform from tasker.tasks as task
  where task.task_id = any (v_held.task_ids)
  order by task.task_id
  for no key update;

  perform tasker.finish_steps(
    p_task_ids => v_held.task_ids,
    p_step_nos => v_held.step_nos,
    p_states => v_held.states,
    p_results => null,
    p_errors => v_held.errors,
    p_causes => v_held.causes,
    p_attempts => v_held.attempts,
    p_max_attempts => v_held.max_attempts,
    p_started_ats => v_held.started_ats,
    p_recorded => v_held.recorded,
    p_from => 'in_progress',
    p_task_from => 'in_progress',
    p_were_active => true,
    p_worker_id => p_worker_id,
    p_room => 0,
    p_routes => '{}',
    p_actor => null,
    p_reason => null,
    p_now => p_now
  );
  perform pg_notify('tasker', 'ready');
  return cardinality(v_held.task_ids);
end;
$$;
