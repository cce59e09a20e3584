-- tasker.finish_attempts: records how attempts ended, where the worker still holds them.
--
-- A failed attempt is followed by another while there is one; else the step is in
-- error, or skipped where it may be.
--
--   p_worker_id            who ran them
--   p_task_ids … p_causes  as for tasker.advance
--   p_held_count           how many of them the worker still holds
--   p_room, p_routes       room for children, and the routes it takes children of
--   p_now                  the clock
--
-- Returns    as tasker.finish_steps
-- Locks      nothing that the caller has not locked
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/advance.sql

create or replace function tasker.finish_attempts (
  p_worker_id   integer,
  p_task_ids    uuid[],
  p_step_nos    smallint[],
  p_attempts    smallint[],
  p_outcomes    text[],
  p_values      jsonb[],
  p_delays      double precision[],
  p_causes      text[],
  p_held_count  integer,
  p_room        integer,
  p_routes      integer[],
  p_now         timestamptz,
  out handed_task_ids  uuid[],
  out handed_step_nos  smallint[],
  out ended_task_ids   uuid[],
  out ended_states     tasker.state[],
  out queued_count     integer
)
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_held   record;
begin
  if p_held_count = cardinality(p_task_ids) and 'complete' = all (p_outcomes) then
    select p_task_ids as task_ids, p_step_nos as step_nos,
      array_fill('complete'::tasker.state, array[p_held_count]) as states,
      p_values as results, null::jsonb[] as errors, null::timestamptz[] as run_ats, null::text[] as causes
    into v_held;
  else
    select
      array_agg(held.task_id) as task_ids,
      array_agg(held.step_no) as step_nos,
      array_agg(held.state) as states,
      array_agg(case when held.state = 'complete' then held.value end) as results,
      array_agg(case when held.state <> 'complete' then held.value end) as errors,
      array_agg(p_now + held.delay * interval '1 millisecond') as run_ats,
      array_agg(held.cause) as causes
    into v_held
    from (
      select
        given.*,
        (case
          when given.outcome = 'complete' then 'complete'
          when given.outcome = 'retry' and step.attempts < step.max_attempts then 'waiting_for_retry'
          when definition.skippable then 'skipped'
          else 'error'
        end)::tasker.state as state
      from unnest(p_task_ids, p_step_nos, p_attempts, p_outcomes, p_values, p_delays, p_causes)
        as given (task_id, step_no, attempt, outcome, value, delay, cause)
      join tasker.step_queue as queued
        on queued.task_id = given.task_id
        and queued.step_no = given.step_no
        and queued.worker_id = p_worker_id
        and queued.attempt = given.attempt
      join tasker.steps as step on step.task_id = given.task_id and step.step_no = given.step_no
      join tasker.tasks as task on task.task_id = given.task_id
      join tasker.workflow_steps as definition
        on definition.workflow_id = task.workflow_id
        and definition.step_no = given.step_no
    ) as held;
  end if;

  select * into handed_task_ids, handed_step_nos, ended_task_ids, ended_states, queued_count
  from tasker.finish_steps(
    p_task_ids => v_held.task_ids,
    p_step_nos => v_held.step_nos,
    p_states => v_held.states,
    p_results => v_held.results,
    p_errors => v_held.errors,
    p_run_ats => v_held.run_ats,
    p_from => 'in_progress',
    p_task_from => 'in_progress',
    p_worker_id => p_worker_id,
    p_room => p_room,
    p_routes => p_routes,
    p_causes => v_held.causes,
    p_actor => null,
    p_reason => null,
    p_now => p_now
  );
end;
$$;
