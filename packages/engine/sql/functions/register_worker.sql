-- tasker.register_worker: makes a worker known, and its lease begin.
--
--   p_name, p_host, p_pid  who it is, for people
--   p_concurrency          how many steps it runs at once
--   p_routes               the routes that it serves
--   p_lease                how long it may be silent before it counts as lost
--   p_now                  the clock; only tests pass it
--
-- Returns    the worker's id, never used before
-- Called by  src/store/register-worker.ts

create or replace function tasker.register_worker (
  p_name         text,
  p_host         text,
  p_pid          integer,
  p_concurrency  integer,
  p_routes       integer[],
  p_lease        interval,
  p_now          timestamptz default now()
)
returns integer
language sql
volatile
set search_path = ''
as $$
  insert into tasker.workers (name, host, pid, concurrency, lease, routes, started_at, heartbeat_at)
  values (p_name, p_host, p_pid, p_concurrency, p_lease, p_routes, p_now, p_now)
  returning worker_id;
$$;
