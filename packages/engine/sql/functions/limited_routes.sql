-- tasker.limited_routes: the routes whose queue runs only so many steps at once.
--
-- Returns    their ids, mostly none
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.limited_routes ()
returns integer[]
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- Volatile, so that it sees a limit that was set while the caller waited for a lock.
  return array(
    select route.route_id
    from tasker.queues as queue
    join tasker.routes as route on route.queue_id = queue.queue_id
    where queue.max_running is not null
  );
end;
$$;
