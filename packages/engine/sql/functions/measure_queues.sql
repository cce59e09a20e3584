-- tasker.measure_queues: how long each queue is, and how long its oldest ready step has waited.
--
-- For those who ask every few seconds: what it costs does not grow with the queue. Steps are
-- counted by the index of the claim, up to a limit; what runs or is held has no index, and is
-- not counted (tasker.list_queues counts everything).
--
--   p_count_limit  how far to count: where there are more, so many are reported
--   p_now          the clock; only tests pass it
--
-- Returns    a row per queue, by name
-- Called by  src/store/measure-queues.ts

create or replace function tasker.measure_queues (
  p_count_limit integer,
  p_now         timestamptz default now()
)
returns table (
  name          text,
  max_running   integer,
  is_paused     boolean,
  ready_steps   integer,
  delayed_steps integer,
  oldest_ready  double precision,
  live_workers  integer
)
language sql
stable
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  with live as materialized (
    select worker.routes from tasker.live_workers(p_now) as worker
  )
  select
    queue.name,
    queue.max_running,
    queue.paused_at is not null,
    ready.steps,
    delayed.steps,
    extract(epoch from p_now - oldest.run_at)::double precision,
    (select count(*)::integer from live where live.routes && served.routes)
  from tasker.queues as queue
  cross join lateral (
    select coalesce(array_agg(route.route_id), '{}') as routes
    from tasker.routes as route
    where route.queue_id = queue.queue_id
  ) as served
  cross join lateral (
    select count(*)::integer as steps
    from (
      select
      from unnest(served.routes) as route (route_id)
      cross join generate_series(1, 4) as level (priority)
      join tasker.step_queue as queued
        on queued.route_id = route.route_id
        and queued.priority = level.priority
        and queued.worker_id is null
        and not queued.held
        and queued.run_at <= p_now
      limit p_count_limit
    ) as counted
  ) as ready
  cross join lateral (
    select count(*)::integer as steps
    from (
      select
      from unnest(served.routes) as route (route_id)
      cross join generate_series(1, 4) as level (priority)
      join tasker.step_queue as queued
        on queued.route_id = route.route_id
        and queued.priority = level.priority
        and queued.worker_id is null
        and not queued.held
        and queued.run_at > p_now
      limit p_count_limit
    ) as counted
  ) as delayed
  cross join lateral (
    select min(first.run_at) as run_at
    from unnest(served.routes) as route (route_id)
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
      limit 1
    ) as first
  ) as oldest
  order by queue.name
$$;
