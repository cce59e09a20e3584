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
  out task_ids     uuid[],
  out step_nos     smallint[],
  out states       tasker.state[],
  out results      jsonb[],
  out errors       jsonb[],
  out causes       text[],
  out attempts     smallint[],
  out max_attempts smallint[],
  out started_ats  timestamptz[],
  out recorded     boolean[],
  out ordinals     integer[]
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
-- The names of results are columns here.
#variable_conflict use_column
begin
  if cardinality(p_task_ids) = 0 then
    task_ids := '{}';
    ordinals := '{}';
    return;
  end if;

  if 'complete' = all (p_outcomes) then
    with gone as (
      delete from tasker.step_queue as queued
      using (
        select *
        from unnest(p_task_ids, p_step_nos, p_attempts, p_values) with ordinality
          as each_given (task_id, step_no, attempt, value, ordinal)
        -- All that lock queue rows lock them in this order; a nested loop keeps it.
        order by each_given.task_id, each_given.step_no
      ) as given
      -- `offset 0`: see tasker.finish_steps.
      cross join lateral (
        select own.ctid as row_id
        from tasker.step_queue as own
        where own.task_id = given.task_id
          and own.step_no = given.step_no
        offset 0
      ) as standing
      where queued.ctid = standing.row_id
        -- Looked at again when the row was locked: somebody may have taken it back just now.
        and queued.attempt = given.attempt
        and queued.worker_id = p_worker_id
      returning given.task_id, given.step_no, given.value, given.ordinal,
        queued.attempt, queued.max_attempts, queued.started_at, queued.is_recorded
    )
    select
      coalesce(array_agg(gone.task_id), '{}'), array_agg(gone.step_no), array_agg(gone.value),
      array_agg(gone.attempt), array_agg(gone.max_attempts), array_agg(gone.started_at), array_agg(gone.is_recorded),
      coalesce(array_agg(gone.ordinal::integer), '{}')
    into task_ids, step_nos, results, attempts, max_attempts, started_ats, recorded, ordinals
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
    array_agg(held.attempt),
    array_agg(held.max_attempts),
    array_agg(held.started_at),
    array_agg(held.is_recorded),
    coalesce(array_agg(held.ordinal::integer), '{}')
  into task_ids, step_nos, states, results, errors, causes, attempts, max_attempts, started_ats, recorded, ordinals
  from (
    select
      given.*,
      (case
        when given.outcome = 'complete' then 'complete'
        when given.outcome = 'retry' and given.attempt < given.max_attempts then 'waiting_for_retry'
        when definition.skippable then 'skipped'
        else 'error'
      end)::tasker.state as state
    from (
      select each_given.*, queued.max_attempts, queued.started_at, queued.is_recorded
      from (
        select *
        from unnest(p_task_ids, p_step_nos, p_attempts, p_outcomes, p_values, p_causes) with ordinality
          as sorted (task_id, step_no, attempt, outcome, value, cause, ordinal)
        order by sorted.task_id, sorted.step_no
      ) as each_given
      cross join lateral (
        select own.max_attempts, own.started_at, own.is_recorded
        from tasker.step_queue as own
        where own.task_id = each_given.task_id
          and own.step_no = each_given.step_no
          and own.attempt = each_given.attempt
          and own.worker_id = p_worker_id
        offset 0
        for update
      ) as queued
    ) as given
    cross join lateral (
      select own.workflow_id
      from tasker.tasks as own
      where own.task_id = given.task_id
      offset 0
    ) as task
    cross join lateral (
      select own.skippable
      from tasker.workflow_steps as own
      where own.workflow_id = task.workflow_id
        and own.step_no = given.step_no
      offset 0
    ) as definition
  ) as held;

  perform tasker.release_steps(
    task_ids, step_nos, states, max_attempts,
    array(
      select p_now + p_delays[accepted.ordinal] * interval '1 millisecond'
      from unnest(ordinals) as accepted (ordinal)
    )
  );
end;
$$;
