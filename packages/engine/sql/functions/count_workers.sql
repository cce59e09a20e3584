-- tasker.count_workers: how many workers there are.
--
--   p_since  for those that stopped or were lost: then or later
--   p_now    the clock; only tests pass it
--
-- Returns    one row: those whose lease holds, and how many steps they may run at once together; those
--            whose lease ran out and whose steps nobody has taken back; those that were lost, or stopped
-- Called by  src/store/analytics/count-workers.ts

create or replace function tasker.count_workers (
  p_since  timestamptz,
  p_now    timestamptz default now()
)
returns table (live bigint, concurrency bigint, overdue bigint, lost bigint, stopped bigint)
language sql
stable
set search_path = ''
as $$
  select
    count(*) filter (where live.worker_id is not null),
    coalesce(sum(live.concurrency), 0)::bigint,
    count(*) filter (where live.worker_id is null and worker.lost_at is null and worker.stopped_at is null),
    count(*) filter (where worker.lost_at >= p_since),
    count(*) filter (where worker.stopped_at >= p_since)
  from tasker.workers as worker
  left join tasker.live_workers(p_now) as live on live.worker_id = worker.worker_id
$$;
