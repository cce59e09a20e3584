-- tasker.limit_queue: bounds how many steps of a queue run at once, on all workers together.
--
--   p_name         the queue; it need not have steps yet
--   p_max_running  1 or more, or null for no limit
--
-- Returns    whether anything changed
-- Locks      the whole step_queue against writers, so that no row slips in that does not know
--            of the limit, then the queue's row. Rare, and over at once.
-- Called by  src/store/limit-queue.ts

create or replace function tasker.limit_queue (
  p_name         text,
  p_max_running  integer
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_queue tasker.queues;
begin
  lock table tasker.step_queue in exclusive mode;
  insert into tasker.queues (name) values (p_name) on conflict (name) do nothing;
  select queue.* into v_queue from tasker.queues as queue where queue.name = p_name for update;
  if v_queue.max_running is not distinct from p_max_running then
    return false;
  end if;

  if (v_queue.max_running is null) <> (p_max_running is null) then
    update tasker.step_queue as queued
    set limited = p_max_running is not null
    from tasker.routes as route
    where route.queue_id = v_queue.queue_id
      and queued.route_id = route.route_id;
  end if;
  update tasker.queues as queue
  set max_running = p_max_running
  where queue.queue_id = v_queue.queue_id;
  perform pg_notify('tasker', 'ready');
  return true;
end;
$$;
