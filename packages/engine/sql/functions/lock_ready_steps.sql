-- tasker.lock_ready_steps: picks what a worker could claim, and locks it.
--
-- The most urgent first, then the oldest. Looks at each route and priority by
-- itself, where the index gives the oldest due row at once; so neither the backlog
-- of other routes nor any number of delayed steps costs anything. First it counts,
-- without locks, how many to take from where; then it locks that many, passing over
-- what another worker holds, so that no call locks more than it has room for.
--
--   p_routes, p_queues, p_free   open routes, their queues, and the queues' free slots
--   p_room                       how many steps at most
--   p_expected                   room to leave, per priority and the more urgent ones
--   p_now                        the clock
--
-- Returns    the locked rows, by key and by place
-- Locks      the rows returned; never waits
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/advance.sql

create or replace function tasker.lock_ready_steps (
  p_routes     integer[],
  p_queues     integer[],
  p_free       integer[],
  p_room       integer,
  p_expected   integer[],
  p_now        timestamptz,
  out task_ids uuid[],
  out step_nos smallint[],
  out row_ids  tid[]
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
begin
  -- Mostly there is nothing, and then this is all that it costs.
  if not exists (
    select
    from unnest(p_routes) as route (route_id)
    cross join generate_series(1, 4) as level (priority)
    cross join lateral (
      select
      from tasker.step_queue as queued
      where queued.route_id = route.route_id
        and queued.priority = level.priority
        and queued.worker_id is null
        and not queued.held
        and queued.run_at <= p_now
      limit 1
    ) as ready
  ) then
    task_ids := '{}';
    step_nos := '{}';
    row_ids := '{}';
    return;
  end if;

  with candidate as (
    select
      route.route_id,
      level.priority,
      row_number() over (order by level.priority, oldest.run_at) + p_expected[level.priority] as position,
      route.free is null
        or row_number() over (partition by route.queue_id order by level.priority, oldest.run_at) <= route.free as has_slot
    from unnest(p_routes, p_queues, p_free) as route (route_id, queue_id, free)
    cross join generate_series(1, 4) as level (priority)
    cross join lateral (
      select queued.run_at
      from tasker.step_queue as queued
      where queued.route_id = route.route_id
        and queued.priority = level.priority
        and queued.worker_id is null
        and not queued.held
        and queued.run_at <= p_now
      order by queued.run_at
      limit greatest(p_room - p_expected[level.priority], 0)
    ) as oldest
  ),
  quota as materialized (
    select candidate.route_id, candidate.priority, count(*) as quantity
    from candidate
    where candidate.position <= p_room
      and candidate.has_slot
    group by candidate.route_id, candidate.priority
  ),
  -- Materialized, because a limited subquery that the planner runs again would
  -- lock other rows the second time.
  locked as materialized (
    select queued.task_id, queued.step_no, queued.row_id
    from quota
    cross join lateral (
      select ready.task_id, ready.step_no, ready.ctid as row_id
      from tasker.step_queue as ready
      where ready.route_id = quota.route_id
        and ready.priority = quota.priority
        and ready.worker_id is null
        and not ready.held
        and ready.run_at <= p_now
      order by ready.run_at
      limit quota.quantity
      for update skip locked
    ) as queued
  )
  select coalesce(array_agg(locked.task_id), '{}'), coalesce(array_agg(locked.step_no), '{}'), array_agg(locked.row_id)
  into task_ids, step_nos, row_ids
  from locked;
end;
$$;
