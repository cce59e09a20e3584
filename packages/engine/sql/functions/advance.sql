-- tasker.advance: one turn of a worker, in one round trip and one commit.
--
-- Takes the outcomes of the attempts that ended since the last call, and gives
-- back the steps to run next, as many as the worker has room for: children of the
-- finished steps first, unless something more urgent waits in the queue.
--
--   p_worker_id   who calls
--   p_task_ids, p_step_nos, p_attempts   the attempts that ended
--   p_outcomes    how each ended: complete, retry (another attempt while there is
--                 one) or error (for good)
--   p_values      the result of each complete one, the error of each other
--   p_delays      how long each that retries waits, in milliseconds
--   p_causes      a word for the transition of each (timeout), or null
--   p_routes      the routes that the worker serves
--   p_room        how many more steps it could run, now that these ended
--   p_expected    how many children the worker expects to become ready, of priority 1,
--                 of 1 or 2, of 1 to 3, and of any. A hint: it leaves room for them.
--   p_events      what each attempt published, an array of {name, payload}, or null; null
--                 altogether when none of them published anything
--   p_now         the clock; only tests pass it
--
-- Returns rows of a kind:
--   step    a step to run, with its task's input and its parents' results by step_no; false
--           in their place when they are more than one value can hold. Its state is pending,
--           once for each task that this call started, and null otherwise; from_state is the
--           step's before a later attempt, delay how many milliseconds it was due before it was
--           claimed
--   lost    an attempt that this worker no longer held: its outcome was refused
--   ended   a task that ended, how, when it was created and started, and how many milliseconds
--           that was after its creation
--   queued  steps became ready that this worker did not take
--   next    there is room left, and no outcome was given: when the earliest delayed step is
--           due, in milliseconds
--
-- Locks      the worker's row (key share); the outcomes' queue rows by key; limited queues by
--            id; what it claims (skipping what is locked); then tasks by id
-- Raises     TK001 when the worker is lost or stopped: it must start anew
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  src/store/advance.ts

create or replace function tasker.advance (
  p_worker_id  integer,
  p_task_ids   uuid[],
  p_step_nos   smallint[],
  p_attempts   smallint[],
  p_outcomes   text[],
  p_values     jsonb[],
  p_delays     double precision[],
  p_causes     text[],
  p_routes     integer[],
  p_room       integer,
  p_expected   integer[],
  p_events     jsonb[] default null,
  p_now        timestamptz default now()
)
returns table (
  kind           text,
  task_id        uuid,
  step_no        smallint,
  attempt        smallint,
  max_attempts   smallint,
  priority       smallint,
  workflow_id    integer,
  state          tasker.state,
  input          jsonb,
  results        jsonb,
  correlation_id text,
  trace_context  text,
  created_at     timestamptz,
  started_at     timestamptz,
  from_state     tasker.state,
  delay          double precision
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
#variable_conflict use_column
declare
  v_routes record;
  v_claims record;
  v_taken  record;
  v_done   record;
  v_locked uuid[];
  v_begun  integer[];
  v_room   integer;
begin
  -- A rescue marks a worker lost under an exclusive lock. So either it sees what
  -- this call claims, or this call sees that the worker is lost.
  perform from tasker.workers as worker
  where worker.worker_id = p_worker_id
    and worker.lost_at is null
    and worker.stopped_at is null
  for key share;
  if not found then
    raise exception 'worker % is lost or stopped', p_worker_id using errcode = 'TK001';
  end if;

  -- Before any limit is read, so that none is set between that and the rows it applies to.
  lock table tasker.step_queue in row exclusive mode;
  select * into v_taken
  from tasker.take_outcomes(
    p_worker_id, p_task_ids, p_step_nos, p_attempts, p_outcomes, p_values, p_delays, p_causes, p_now
  );
  -- After the outcomes, whose slots in limited queues are free now.
  select * into v_routes from tasker.open_routes(p_routes, p_room);
  select * into v_claims
  from tasker.lock_ready_steps(v_routes.route_ids, v_routes.queue_ids, v_routes.free, p_room, p_expected, p_now);

  v_locked := v_taken.task_ids;
  if cardinality(v_claims.task_ids) > 0 then
    v_locked := v_locked || array(
      select claimed.task_id
      from tasker.tasks as claimed
      where claimed.task_id = any (v_claims.task_ids)
        and claimed.state = 'pending'
    );
  end if;
  perform from tasker.tasks as task
  where task.task_id = any (v_locked)
  order by task.task_id
  for no key update;

  -- Before the attempts end: who has seen the end of a task has seen all that its steps published.
  if p_events is not null then
    insert into tasker.transitions (at, task_id, worker_id, from_state, to_state, step_no, attempt, cause, event)
    select p_now, accepted.task_id, p_worker_id, 'in_progress', 'in_progress', accepted.step_no, accepted.attempt,
      'published', published.event
    from unnest(v_taken.task_ids, v_taken.step_nos, v_taken.attempts, v_taken.ordinals)
      as accepted (task_id, step_no, attempt, ordinal)
    cross join jsonb_array_elements(p_events[accepted.ordinal]) with ordinality as published (event, position)
    order by accepted.ordinal, published.position;
  end if;

  v_room := p_room - cardinality(v_claims.task_ids);
  if cardinality(v_taken.task_ids) > 0 then
    select * into v_done
    from tasker.finish_steps(
      p_task_ids => v_taken.task_ids,
      p_step_nos => v_taken.step_nos,
      p_states => v_taken.states,
      p_results => v_taken.results,
      p_errors => v_taken.errors,
      p_causes => v_taken.causes,
      p_attempts => v_taken.attempts,
      p_max_attempts => v_taken.max_attempts,
      p_started_ats => v_taken.started_ats,
      p_recorded => v_taken.recorded,
      p_from => 'in_progress',
      p_task_from => 'in_progress',
      p_were_active => true,
      p_worker_id => p_worker_id,
      p_room => v_room,
      p_routes => v_routes.unlimited_ids,
      p_actor => null,
      p_reason => null,
      p_now => p_now
    );
    v_room := v_room - cardinality(v_done.handed_task_ids);
  else
    select '{}'::uuid[] as handed_task_ids, '{}'::smallint[] as handed_step_nos, '{}'::uuid[] as ended_task_ids,
      0 as queued_count
    into v_done;
  end if;

  if cardinality(v_done.ended_task_ids) > 0 then
    return query
    select 'ended', ended.task_id, null::smallint, null::smallint, null::smallint, null::smallint, null::integer,
      ended.state, null::jsonb, null::jsonb, null::text, null::text, task.created_at, task.started_at,
      null::tasker.state, extract(epoch from p_now - task.created_at)::double precision * 1000
    from unnest(v_done.ended_task_ids, v_done.ended_states) as ended (task_id, state)
    -- `offset 0`: see tasker.finish_steps.
    cross join lateral (
      select own.created_at, own.started_at
      from tasker.tasks as own
      where own.task_id = ended.task_id
      offset 0
    ) as task;
  end if;

  if cardinality(v_claims.task_ids) > 0 then
    v_begun := tasker.claim_steps(p_worker_id, v_claims.row_ids, v_claims.task_ids, p_now);
  end if;

  return query
  select 'step', taken.task_id, taken.step_no, queued.attempt, queued.max_attempts, task.priority, task.workflow_id,
    -- By a hash, as `= any (v_begun)` is not.
    case when taken.ordinal in (select begun.ordinal from unnest(v_begun) as begun (ordinal)) then 'pending'::tasker.state end,
    task.input,
    case
      when cardinality(definition.parents) = 0 then null
      when cardinality(definition.parents) > 64 then tasker.gather_results(taken.task_id, definition.parents)
      else (
        select jsonb_object_agg(above.step_no, parent.result)
        from unnest(definition.parents) as above (step_no)
        -- One by one: all of a wide task's steps would be read for each of its children.
        cross join lateral (
          select own.state, own.result
          from tasker.step_records as own
          where own.task_id = taken.task_id
            and own.step_no = above.step_no
          offset 0
        ) as parent
        -- A skipped parent has no result: its dependents see undefined, not null.
        where parent.state <> 'skipped'
      )
    end,
    task.correlation_id, task.trace_context, null::timestamptz, null::timestamptz,
    case when queued.attempt > 1 then (
      select record.state
      from tasker.step_records as record
      where record.task_id = taken.task_id
        and record.step_no = taken.step_no
    ) end,
    extract(epoch from p_now - queued.run_at)::double precision * 1000
  from unnest(v_claims.task_ids || v_done.handed_task_ids, v_claims.step_nos || v_done.handed_step_nos)
    with ordinality as taken (task_id, step_no, ordinal)
  cross join lateral (
    select own.attempt, own.max_attempts, own.run_at
    from tasker.step_queue as own
    where own.task_id = taken.task_id
      and own.step_no = taken.step_no
    offset 0
  ) as queued
  cross join lateral (
    select own.workflow_id, own.priority, own.input, own.correlation_id, own.trace_context
    from tasker.tasks as own
    where own.task_id = taken.task_id
    offset 0
  ) as task
  cross join lateral (
    select own.parents
    from tasker.workflow_steps as own
    where own.workflow_id = task.workflow_id
      and own.step_no = taken.step_no
    offset 0
  ) as definition;

  if cardinality(v_taken.task_ids) < cardinality(p_task_ids) then
    return query
    select 'lost', given.task_id, given.step_no, given.attempt, null::smallint, null::smallint, null::integer,
      null::tasker.state, null::jsonb, null::jsonb, null::text, null::text, null::timestamptz, null::timestamptz,
      null::tasker.state, null::double precision
    from unnest(p_task_ids, p_step_nos, p_attempts) with ordinality as given (task_id, step_no, attempt, ordinal)
    where given.ordinal <> all (v_taken.ordinals);
  end if;

  if v_done.queued_count > 0 then
    return query
    select 'queued', null::uuid, null::smallint, null::smallint, null::smallint, null::smallint, null::integer,
      null::tasker.state, null::jsonb, null::jsonb, null::text, null::text, null::timestamptz, null::timestamptz,
      null::tasker.state, v_done.queued_count::double precision;
  end if;

  -- A worker with outcomes calls again anyway; one without is about to wait.
  if v_room > 0 and cardinality(p_task_ids) = 0 then
    return query
    select 'next', null::uuid, null::smallint, null::smallint, null::smallint, null::smallint, null::integer,
      null::tasker.state, null::jsonb, null::jsonb, null::text, null::text, null::timestamptz, null::timestamptz,
      null::tasker.state, extract(epoch from min(first.run_at) - p_now)::double precision * 1000
    from unnest(v_routes.route_ids) as served (route_id)
    cross join generate_series(1, 4) as level (priority)
    cross join lateral (
      select queued.run_at
      from tasker.step_queue as queued
      where queued.route_id = served.route_id
        and queued.priority = level.priority
        and queued.worker_id is null
        and not queued.held
        and queued.run_at > p_now
      order by queued.run_at
      limit 1
    ) as first
    having count(*) > 0;
  end if;
end;
$$;
