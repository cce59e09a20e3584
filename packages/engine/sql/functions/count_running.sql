-- tasker.count_running: how many steps of a queue with a limit run now.
--
--   p_queue_id  the queue; running steps are counted only where there is a limit
--
-- Returns    the number
-- Called by  sql/functions/{step_readiness,list_queues}.sql

create or replace function tasker.count_running (p_queue_id integer)
returns integer
language sql
stable
set search_path = ''
as $$
  select count(*)::integer
  from tasker.routes as route
  join tasker.step_queue as running on running.route_id = route.route_id
  where route.queue_id = p_queue_id
    and running.limited
    and running.worker_id is not null
$$;
