-- tasker.take_outcomes: takes the attempts that ended out of the queue, where the worker
-- still holds them, and says what becomes of their steps.
--
-- A failed attempt is followed by another while there is one: then the step stays in
-- the queue, delayed. Else it is in error, or skipped where it may be.
--
--   p_worker_id  who ran them
--   p_task_ids … p_causes  as for tasker.advance
--   p_now        the clock
--
-- Returns    the accepted ones as tasker.finish_steps takes them, and their positions in
--            what was given; empty arrays when there are none
-- Locks      their queue rows, by key
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/advance.sql

create or replace function tasker.take_outcomes (
  p_worker_id   integer,
  p_task_ids    uuid[],
  p_step_nos    smallint[],
  p_attempts    smallint[],
  p_outcomes    text[],
  p_values      jsonb[],
  p_delays      double precision[],
  p_causes      text[],
  p_now         timestamptz,
  out task_ids  uuid[],
  out step_nos  smallint[],
  out states    tasker.state[],
  out results   jsonb[],
  out errors    jsonb[],
  out causes    text[],
  out ordinals  integer[]
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
  v_run_ats timestamptz[];
begin
  if 'complete' = all (p_outcomes) then
    with gone as (
      delete from tasker.step_queue as queued
      using (
        select *
        from unnest(p_task_ids, p_step_nos, p_attempts, p_values) with ordinality
          as each_given (task_id, step_no, attempt, value, ordinal)
        -- All that lock queue rows lock them in this order; a join by index keeps it.
        order by each_given.task_id, each_given.step_no
      ) as given
      where queued.task_id = given.task_id
        and queued.step_no = given.step_no
        and queued.attempt = given.attempt
        and queued.worker_id = p_worker_id
      returning given.task_id, given.step_no, given.value, given.ordinal
    )
    select
      coalesce(array_agg(gone.task_id), '{}'), array_agg(gone.step_no), array_agg(gone.value),
      coalesce(array_agg(gone.ordinal::integer), '{}')
    into task_ids, step_nos, results, ordinals
    from gone;
    states := array_fill('complete'::tasker.state, array[cardinality(task_ids)]);
    return;
  end if;

  select
    coalesce(array_agg(held.task_id), '{}'),
    array_agg(held.step_no),
    array_agg(held.state),
    array_agg(case when held.state = 'complete' then held.value end),
    array_agg(case when held.state <> 'complete' then held.value end),
    array_agg(held.cause),
    coalesce(array_agg(held.ordinal::integer), '{}'),
    array_agg(p_now + held.delay * interval '1 millisecond')
  into task_ids, step_nos, states, results, errors, causes, ordinals, v_run_ats
  from (
    select
      given.*,
      (case
        when given.outcome = 'complete' then 'complete'
        when given.outcome = 'retry' and step.attempts < step.max_attempts then 'waiting_for_retry'
        when definition.skippable then 'skipped'
        else 'error'
      end)::tasker.state as state
    from (
      select each_given.*
      from unnest(p_task_ids, p_step_nos, p_attempts, p_outcomes, p_values, p_delays, p_causes) with ordinality
        as each_given (task_id, step_no, attempt, outcome, value, delay, cause, ordinal)
      join tasker.step_queue as queued
        on queued.task_id = each_given.task_id
        and queued.step_no = each_given.step_no
        and queued.attempt = each_given.attempt
        and queued.worker_id = p_worker_id
      order by each_given.task_id, each_given.step_no
      for update of queued
    ) as given
    join tasker.steps as step on step.task_id = given.task_id and step.step_no = given.step_no
    join tasker.tasks as task on task.task_id = given.task_id
    join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.step_no = given.step_no
  ) as held;

  perform tasker.dequeue_steps(task_ids, step_nos, states, v_run_ats);
end;
$$;
