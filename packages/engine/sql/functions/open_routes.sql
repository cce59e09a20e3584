-- tasker.open_routes: of the routes that a worker serves, those it may claim from now.
--
-- Leaves out paused queues and queues that run as many steps as they may. A limited
-- queue stays locked until the caller commits, so that two workers never share its
-- last slot; queues without a limit cost nothing.
--
--   p_routes   the routes that the worker serves
--   p_room     how many steps it could run; with none, nothing is locked
--
-- Returns    the routes with their queues and how many more steps each queue may run
--            (null: no limit), and those without a limit alone
-- Locks      limited queues, by id
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/advance.sql

create or replace function tasker.open_routes (
  p_routes          integer[],
  p_room            integer,
  out route_ids     integer[],
  out queue_ids     integer[],
  out free          integer[],
  out unlimited_ids integer[]
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
-- free is a result here, and a column of the subquery.
#variable_conflict use_variable
begin
  select
    coalesce(array_agg(route.route_id), '{}'),
    coalesce(array_agg(route.queue_id), '{}'),
    array_fill(null::integer, array[count(*)::integer]),
    coalesce(array_agg(route.route_id), '{}')
  into route_ids, queue_ids, free, unlimited_ids
  from tasker.routes as route
  join tasker.queues as queue on queue.queue_id = route.queue_id
  where route.route_id = any (p_routes)
    and queue.paused_at is null
    and queue.max_running is null;

  -- All of them, for nearly everybody.
  if p_room = 0 or cardinality(route_ids) = cardinality(p_routes) then
    return;
  end if;

  perform from tasker.queues as queue
  where queue.max_running is not null
    and queue.paused_at is null
    and exists (
      select from tasker.routes as route
      where route.queue_id = queue.queue_id and route.route_id = any (p_routes)
    )
  order by queue.queue_id
  for no key update;

  select
    route_ids || array_agg(limited.route_id),
    queue_ids || array_agg(limited.queue_id),
    free || array_agg(limited.free)
  into route_ids, queue_ids, free
  from (
    select
      route.route_id,
      route.queue_id,
      queue.max_running - (
        select count(*)::integer
        from tasker.routes as sibling
        join tasker.step_queue as running on running.route_id = sibling.route_id
        where sibling.queue_id = queue.queue_id
          and running.limited
          and running.worker_id is not null
      ) as free
    from tasker.routes as route
    join tasker.queues as queue on queue.queue_id = route.queue_id
    where route.route_id = any (p_routes)
      and queue.paused_at is null
      and queue.max_running is not null
  ) as limited
  where limited.free > 0;
end;
$$;
