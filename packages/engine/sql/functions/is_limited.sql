-- tasker.is_limited: whether the queue of a route runs only so many steps at once.
--
-- Volatile, so that it sees a limit that was set while the caller waited for a lock.
--
--   p_route_id  the route
--
-- Called by  sql/functions/{finish_steps,retry_steps}.sql

create or replace function tasker.is_limited (p_route_id integer)
returns boolean
language sql
volatile
set search_path = ''
as $$
  select queue.max_running is not null
  from tasker.routes as route
  join tasker.queues as queue on queue.queue_id = route.queue_id
  where route.route_id = p_route_id
$$;
