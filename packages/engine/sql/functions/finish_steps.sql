-- tasker.finish_steps: moves steps out of a state, and draws every consequence.
--
-- The heart that workers, rescues and operators share. It records the new state, result and
-- error of each step; counts down its children, grouped by child, so that a thousand parents
-- make one update; hands the children that became ready to the worker while it has room, and
-- queues the rest; moves the task's counters, where they move, and closes the task when they
-- say so; and appends a transition for each change.
--
-- The caller has locked the table step_queue (row exclusive), has taken the steps out of
-- the queue or delayed them there, and then has locked their tasks, in that order.
--
--   p_task_ids, p_step_nos   the steps
--   p_states                 what each becomes: complete, skipped, resolved_manually,
--                            error, or waiting_for_retry
--   p_results, p_errors      what each returned or why it failed; null where it did not
--   p_causes                 a word for each, for its transition
--   p_attempts, p_max_attempts, p_started_ats  how many attempts each had and may have, and
--                            when the last one started
--   p_recorded               whether each has a row in step_records already
--   p_from                   the state that all of them are in
--   p_task_from              the state that their tasks are in
--   p_were_active            whether they stood in the queue until now
--   p_worker_id              who did it, and who takes the children; null for an operator
--   p_room                   how many children the worker takes at most
--   p_routes                 routes that the worker takes children of
--   p_actor, p_reason        who and why, when an operator did it
--   p_now                    the clock
--
-- Returns    the children handed to the worker, the tasks that ended and how, and
--            how many children were left in the queue
-- Locks      nothing that the caller has not locked
-- Raises     TK040 when the queue says that a step is recorded, and it is not
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/{advance,take_back_steps,settle_step}.sql

create or replace function tasker.finish_steps (
  p_task_ids     uuid[],
  p_step_nos     smallint[],
  p_states       tasker.state[],
  p_results      jsonb[],
  p_errors       jsonb[],
  p_causes       text[],
  p_attempts     smallint[],
  p_max_attempts smallint[],
  p_started_ats  timestamptz[],
  p_recorded     boolean[],
  p_from         tasker.state,
  p_task_from    tasker.state,
  p_were_active  boolean,
  p_worker_id    integer,
  p_room         integer,
  p_routes       integer[],
  p_actor        text,
  p_reason       text,
  p_now          timestamptz,
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
  v_reached record;
  v_count   integer;
begin
  -- Statements of their own, so that a call pays for those alone that it needs: when little
  -- is to do, setting up a plan costs more than running it.
  if false = any (p_recorded) then
    insert into tasker.step_records
      (task_id, started_at, finished_at, state, step_no, attempts, max_attempts, result, error)
    select
      outcome.task_id, outcome.started_at, case when outcome.state <> 'waiting_for_retry' then p_now end,
      outcome.state, outcome.step_no, outcome.attempts, outcome.max_attempts, outcome.result, outcome.error
    from unnest(
      p_task_ids, p_step_nos, p_states, p_results, p_errors, p_attempts, p_max_attempts, p_started_ats, p_recorded
    ) as outcome (task_id, step_no, state, result, error, attempts, max_attempts, started_at, is_recorded)
    where not outcome.is_recorded;
  end if;

  if true = any (p_recorded) then
    update tasker.step_records as record
    set state = outcome.state,
        attempts = outcome.attempts,
        max_attempts = outcome.max_attempts,
        -- One that stood in the queue waited for nobody: see below.
        waiting_on = case when p_were_active and record.waiting_on > 0 then 0 else record.waiting_on end,
        started_at = outcome.started_at,
        finished_at = case when outcome.state <> 'waiting_for_retry' then p_now end,
        result = outcome.result,
        error = outcome.error
    from unnest(
      p_task_ids, p_step_nos, p_states, p_results, p_errors, p_attempts, p_max_attempts, p_started_ats, p_recorded
    ) as outcome (task_id, step_no, state, result, error, attempts, max_attempts, started_at, is_recorded)
    -- `offset 0` keeps each look-up in one piece, here and below. Joined, a plan that was
    -- made on small tables may find rows by half of their key, or by none, and compare all with all.
    cross join lateral (
      select own.ctid as row_id
      from tasker.step_records as own
      where own.task_id = outcome.task_id
        and own.step_no = outcome.step_no
      offset 0
    ) as standing
    where outcome.is_recorded
      and record.ctid = standing.row_id;

    -- Else a result would be lost in silence.
    get diagnostics v_count = row_count;
    if v_count <> cardinality(array_positions(p_recorded, true)) then
      raise exception 'a step is said to be recorded, and has no record' using errcode = 'TK040';
    end if;
  end if;

  with outcome as materialized (
    select *
    from unnest(p_task_ids, p_step_nos, p_states, p_errors, p_causes, p_attempts)
      as given (task_id, step_no, state, error, cause, attempts)
  ),
  child as (
    select
      outcome.task_id, below.step_no, task.workflow_id, task.priority, task.paused_at is not null as is_paused,
      count(*)::smallint as parents_done
    from outcome
    cross join lateral (
      select own.workflow_id, own.priority, own.paused_at
      from tasker.tasks as own
      where own.task_id = outcome.task_id
      offset 0
    ) as task
    cross join lateral (
      select own.children
      from tasker.workflow_steps as own
      where own.workflow_id = task.workflow_id
        and own.step_no = outcome.step_no
      offset 0
    ) as definition
    cross join unnest(definition.children) as below (step_no)
    where outcome.state in ('complete', 'skipped', 'resolved_manually')
    group by outcome.task_id, below.step_no, task.workflow_id, task.priority, is_paused
  ),
  -- The counts are true because the tasks are locked.
  reached as materialized (
    select
      child.task_id,
      child.step_no,
      child.parents_done,
      child.is_paused,
      record.row_id,
      waiting.waiting_on,
      coalesce(record.attempts, 0::smallint) as attempts,
      coalesce(record.max_attempts, definition.max_attempts) as max_attempts,
      is_ready,
      definition.route_id,
      coalesce(definition.priority, child.priority) as priority,
      is_takeable
        and row_number() over (
          partition by is_takeable
          order by coalesce(definition.priority, child.priority)
        ) <= p_room as is_handed
    from child
    left join lateral (
      select own.ctid as row_id, own.state, own.waiting_on, own.attempts, own.max_attempts
      from tasker.step_records as own
      where own.task_id = child.task_id
        and own.step_no = child.step_no
      offset 0
    ) as record on true
    cross join lateral (
      select own.route_id, own.priority, own.max_attempts, cardinality(own.parents)::smallint as parents
      from tasker.workflow_steps as own
      where own.workflow_id = child.workflow_id
        and own.step_no = child.step_no
      offset 0
    ) as definition
    -- Without a record none of its parents was done before. One that an operator settled early is not started again.
    cross join lateral (
      select case
        when record.row_id is null then definition.parents
        when record.state = 'pending' then record.waiting_on
      end as waiting_on
    ) as waiting
    cross join lateral (
      select waiting.waiting_on is not distinct from child.parents_done as is_ready
    ) as readiness
    cross join lateral (
      select is_ready and not child.is_paused and definition.route_id = any (p_routes) as is_takeable
    ) as taking
  ),
  queued as (
    insert into tasker.step_queue
      (task_id, run_at, started_at, route_id, worker_id, step_no, attempt, max_attempts, priority, held, limited, is_recorded)
    select
      reached.task_id, p_now,
      case when reached.is_handed then p_now end,
      reached.route_id,
      case when reached.is_handed then p_worker_id end,
      reached.step_no,
      case when reached.is_handed then reached.attempts + 1 else reached.attempts end,
      reached.max_attempts, reached.priority, reached.is_paused,
      -- Children of limited queues are never handed over: they wait for a slot.
      not reached.is_handed and tasker.is_limited(reached.route_id),
      reached.row_id is not null
    from reached
    where reached.is_ready
  ),
  counted as (
    -- Who counts the parents that are left, once some are done.
    insert into tasker.step_records (task_id, state, step_no, waiting_on, attempts, max_attempts)
    select reached.task_id, 'pending', reached.step_no, reached.waiting_on - reached.parents_done, 0, reached.max_attempts
    from reached
    where reached.row_id is null
      and not reached.is_ready
  ),
  history as (
    insert into tasker.transitions
      (at, task_id, worker_id, from_state, to_state, step_no, attempt, cause, actor, reason, error)
    select p_now, outcome.task_id, p_worker_id, p_from, outcome.state,
      outcome.step_no, nullif(outcome.attempts, 0), outcome.cause, p_actor, p_reason, outcome.error
    from outcome
    union all
    select p_now, reached.task_id, p_worker_id, 'pending', 'in_progress',
      reached.step_no, reached.attempts + 1::smallint, null, null, null, null
    from reached
    where reached.is_handed
  )
  select
    coalesce(array_agg(reached.task_id) filter (where reached.is_handed), '{}') as handed_task_ids,
    coalesce(array_agg(reached.step_no) filter (where reached.is_handed), '{}') as handed_step_nos,
    coalesce(array_agg(reached.task_id) filter (where reached.is_ready), '{}') as ready_task_ids,
    -- That the count of a step that became ready is 0 is said by its row in the queue.
    array_agg(reached.row_id) filter (where reached.row_id is not null and not reached.is_ready) as row_ids,
    array_agg(reached.parents_done) filter (where reached.row_id is not null and not reached.is_ready) as parents_done
  into v_reached
  from reached;
  handed_task_ids := v_reached.handed_task_ids;
  handed_step_nos := v_reached.handed_step_nos;
  queued_count := cardinality(v_reached.ready_task_ids) - cardinality(handed_task_ids);

  if v_reached.row_ids is not null then
    update tasker.step_records as record
    set waiting_on = record.waiting_on - counted.parents_done
    from unnest(v_reached.row_ids, v_reached.parents_done) as counted (row_id, parents_done)
    where record.ctid = counted.row_id;
  end if;

  -- A step that hands over to its only child leaves both counters as they are.
  if p_from = 'in_progress'
    and p_task_ids = v_reached.ready_task_ids
    and not p_states && array['error', 'waiting_for_retry']::tasker.state[]
  then
    ended_task_ids := '{}';
    ended_states := '{}';
    return;
  end if;
  select moved.ended_task_ids, moved.ended_states into ended_task_ids, ended_states
  from tasker.move_counters(
    p_task_ids, p_states, v_reached.ready_task_ids, p_from, p_task_from, p_were_active, p_worker_id, p_actor, p_reason, p_now
  ) as moved;
end;
$$;
