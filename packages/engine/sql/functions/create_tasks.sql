-- tasker.create_tasks: creates tasks with all their steps, any number in one statement.
--
-- Callable inside the caller's own transaction: the tasks then exist if and only
-- if the caller's other changes do.
--
--   p_requests  an array of objects with
--     workflow_id, or namespace (default), workflow and version (the latest)
--     input           any JSON; plain SQL is trusted to have validated it
--     priority        1 to 4; the workflow's unless given
--     run_at          when its first steps may run, at the earliest; now unless given
--     identity_key    at most one task stands under it
--     on_failed       return (default), or create: whether a task that failed or was
--                     cancelled gives its key to a new one
--     bypass          names of skippable steps that are skipped from the start
--     tags, attributes, correlation_id, initiator, source_system, reason, trace_context
--   p_notify    whether to tell listening workers when this commits. It makes commits
--               queue behind each other, so the client tells them itself, and less often.
--   p_now       the clock; only tests pass it
--
-- Returns    a row per request, in order: its position from 1, the task, and whether this call created it
-- Locks      nothing that exists yet, but for the holder of an identity key that on_failed replaces
-- Raises     TK020 unknown workflow or version · TK021 a bypassed step that is unknown or not
--            skippable · TK022 a request that is not an object, or has no input,
--            or a priority or on_failed that there is not
-- Plans      kept, and by hash: the planner takes an array for ten elements, and would
--            compare thousands with thousands
-- Called by  src/store/create-tasks.ts, and plain SQL

create or replace function tasker.create_tasks (
  p_requests  jsonb,
  p_notify    boolean default true,
  p_now       timestamptz default now()
)
returns table (ordinal integer, task_id uuid, created boolean)
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_nestloop = off
as $$
#variable_conflict use_column
declare
  v_workflow_ids integer[];
  v_task_ids     uuid[];
  v_created      uuid[];
  v_limited      integer[];
  v_given        uuid[];
begin
  -- Before the limits are read, so that none can be set between that and the insert.
  lock table tasker.step_queue in row exclusive mode;
  v_limited := tasker.limited_routes();

  v_workflow_ids := tasker.find_workflows(p_requests);

  if p_requests @? '$[*].on_failed ? (@ == "create")' then
    perform tasker.release_identity_keys(p_requests);
  end if;

  v_given := tasker.uuids_v7(jsonb_array_length(p_requests));

  with request as (
    -- The input is no field of the record, which would make no input at all of null.
    select given.ordinal, given.task_id, given.workflow_id, given.value -> 'input' as input, field.*
    from rows from (
      jsonb_array_elements(p_requests), unnest(v_given), unnest(v_workflow_ids)
    ) with ordinality as given (value, task_id, workflow_id, ordinal)
    cross join lateral jsonb_to_record(given.value) as field (
      priority smallint, identity_key text, tags text[], attributes jsonb, correlation_id text,
      initiator text, source_system text, reason text, trace_context text
    )
  ),
  size as (
    select definition.workflow_id,
      (count(*) filter (where definition.parents = '{}'))::integer as roots
    from tasker.workflow_steps as definition
    where definition.workflow_id = any (v_workflow_ids)
    group by definition.workflow_id
  ),
  created as (
    insert into tasker.tasks
      (task_id, created_at, finished_at, workflow_id, active_steps, failed_steps, state, priority, input, tags,
       attributes, identity_key, correlation_id, initiator, source_system, reason, trace_context)
    select
      request.task_id, p_now, case when size.roots is null then p_now end,
      request.workflow_id, coalesce(size.roots, 0), 0,
      (case when size.roots is null then 'complete' else 'pending' end)::tasker.state,
      coalesce(request.priority, workflow.priority), request.input, request.tags,
      request.attributes, request.identity_key, request.correlation_id, request.initiator,
      request.source_system, request.reason, request.trace_context
    from request
    join tasker.workflows as workflow on workflow.workflow_id = request.workflow_id
    left join size on size.workflow_id = request.workflow_id
    -- One order for all, so that two calls with the same keys cannot deadlock.
    order by request.identity_key, request.ordinal
    on conflict (identity_key) where identity_key is not null do nothing
    returning task_id, state, initiator, reason
  ),
  recorded as (
    insert into tasker.transitions (at, task_id, from_state, to_state, actor, reason)
    select p_now, created.task_id, null::tasker.state, 'pending'::tasker.state, created.initiator, created.reason
    from created
    union all
    -- A workflow without steps has nothing left to do.
    select p_now, created.task_id, path.from_state::tasker.state, path.to_state::tasker.state, null, null
    from created
    cross join (values ('pending', 'in_progress'), ('in_progress', 'complete')) as path (from_state, to_state)
    where created.state = 'complete'
  )
  select coalesce(array_agg(created.task_id), '{}') into v_created from created;

  insert into tasker.step_queue
    (task_id, run_at, route_id, worker_id, step_no, attempt, max_attempts, priority, held, limited, is_recorded)
  select
    given.task_id,
    greatest(coalesce((given.value ->> 'run_at')::timestamptz, p_now), p_now),
    definition.route_id, null, definition.step_no, 0, definition.max_attempts,
    coalesce(definition.priority, (given.value ->> 'priority')::smallint, workflow.priority),
    false, definition.route_id = any (v_limited), false
  from rows from (jsonb_array_elements(p_requests), unnest(v_given), unnest(v_workflow_ids))
    as given (value, task_id, workflow_id)
  join tasker.workflows as workflow on workflow.workflow_id = given.workflow_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = given.workflow_id
    and definition.parents = '{}'
  where given.task_id in (select unnest(v_created));

  if p_requests @? '$[*].bypass[*]' then
    perform tasker.bypass_steps(p_requests, v_given, v_created, p_now);
  end if;

  if p_notify and cardinality(v_created) > 0 then
    perform pg_notify('tasker', 'ready');
  end if;

  if cardinality(v_created) = cardinality(v_given) then
    return query
    select given.ordinal::integer, given.task_id, true
    from unnest(v_given) with ordinality as given (task_id, ordinal);
  else
    return query
    select * from tasker.standing_tasks(p_requests, v_given, v_created);
  end if;
end;
$$;
