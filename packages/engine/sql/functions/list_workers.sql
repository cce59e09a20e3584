-- tasker.list_workers: workers, the newest first.
--
--   p_live   whether to leave out those that stopped, were lost, or are overdue
--   p_limit  how many at most
--   p_now    the clock; only tests pass it
--
-- Returns    a row per worker; its state is live, overdue (its lease ran out, nobody rescued its
--            steps yet), lost, or stopped
-- Called by  src/store/list-workers.ts

create or replace function tasker.list_workers (
  p_live   boolean,
  p_limit  integer,
  p_now    timestamptz default now()
)
returns table (
  worker_id     integer,
  name          text,
  host          text,
  pid           integer,
  state         text,
  concurrency   integer,
  lease_ms      double precision,
  queues        text[],
  running_steps integer,
  started_at    timestamptz,
  heartbeat_at  timestamptz,
  ended_at      timestamptz
)
language sql
stable
set search_path = ''
as $$
  with listed as materialized (
    select worker.*, live.worker_id is not null as is_live
    from tasker.workers as worker
    left join tasker.live_workers(p_now) as live on live.worker_id = worker.worker_id
    where live.worker_id is not null or not p_live
    order by worker.worker_id desc
    limit p_limit
  ),
  -- No index on worker_id, which would cost every claim; so the queue is read once.
  running as (
    select queued.worker_id, count(*)::integer as steps
    from tasker.step_queue as queued
    where queued.worker_id is not null
    group by queued.worker_id
  )
  select
    listed.worker_id,
    listed.name,
    listed.host,
    listed.pid,
    case
      when listed.lost_at is not null then 'lost'
      when listed.stopped_at is not null then 'stopped'
      when listed.is_live then 'live'
      else 'overdue'
    end,
    listed.concurrency,
    (extract(epoch from listed.lease) * 1000)::double precision,
    array(
      select distinct queue.name
      from tasker.routes as route
      join tasker.queues as queue on queue.queue_id = route.queue_id
      where route.route_id = any (listed.routes)
      order by queue.name
    ),
    coalesce(running.steps, 0),
    listed.started_at,
    listed.heartbeat_at,
    coalesce(listed.lost_at, listed.stopped_at)
  from listed
  left join running on running.worker_id = listed.worker_id
  order by listed.worker_id desc
$$;
