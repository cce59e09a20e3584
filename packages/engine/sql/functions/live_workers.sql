-- tasker.live_workers: the workers whose lease holds.
--
-- No search_path here, so that the planner can inline it; every name is qualified.
--
--   p_now  the clock; only tests pass it
--
-- Returns    their rows
-- Called by  sql/functions/{step_readiness,list_workers,list_queues}.sql

create or replace function tasker.live_workers (p_now timestamptz default now())
returns setof tasker.workers
language sql
stable
as $$
  select worker.*
  from tasker.workers as worker
  where worker.stopped_at is null
    and worker.lost_at is null
    and worker.heartbeat_at >= p_now - worker.lease
$$;
