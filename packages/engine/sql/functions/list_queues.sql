-- tasker.list_queues: all queues, and what is in them.
--
-- Reads the whole queue of steps once: what is ready, delayed or running, and no history.
--
--   p_now  the clock; only tests pass it
--
-- Returns    a row per queue, by name
-- Called by  src/store/list-queues.ts

create or replace function tasker.list_queues (p_now timestamptz default now())
returns table (
  name          text,
  max_running   integer,
  paused_at     timestamptz,
  paused_by     text,
  pause_reason  text,
  ready_steps   integer,
  delayed_steps integer,
  held_steps    integer,
  running_steps integer,
  oldest_ready  timestamptz,
  live_workers  integer
)
language sql
stable
set search_path = ''
as $$
  select
    queue.name,
    queue.max_running,
    queue.paused_at,
    queue.paused_by,
    queue.pause_reason,
    coalesce(sum(load.ready), 0)::integer,
    coalesce(sum(load.delayed), 0)::integer,
    coalesce(sum(load.held), 0)::integer,
    coalesce(sum(load.running), 0)::integer,
    min(load.oldest_ready),
    (
      select count(*)::integer
      from tasker.live_workers(p_now) as worker
      where worker.routes && coalesce(array_agg(route.route_id) filter (where route.route_id is not null), '{}')
    )
  from tasker.queues as queue
  left join tasker.routes as route on route.queue_id = queue.queue_id
  left join (
    select
      queued.route_id,
      count(*) filter (where queued.worker_id is null and not queued.held and queued.run_at <= p_now) as ready,
      count(*) filter (where queued.worker_id is null and not queued.held and queued.run_at > p_now) as delayed,
      count(*) filter (where queued.worker_id is null and queued.held) as held,
      count(*) filter (where queued.worker_id is not null) as running,
      min(queued.run_at) filter (where queued.worker_id is null and not queued.held and queued.run_at <= p_now) as oldest_ready
    from tasker.step_queue as queued
    group by queued.route_id
  ) as load on load.route_id = route.route_id
  group by queue.queue_id
  order by queue.name
$$;
