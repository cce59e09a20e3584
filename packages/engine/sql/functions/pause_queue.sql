-- tasker.pause_queue: stops handing out the steps of a queue, or hands them out again.
--
--   p_name             the queue; it need not have steps yet
--   p_paused           whether to pause or to resume it
--   p_actor, p_reason  who and why
--   p_now              the clock; only tests pass it
--
-- Returns    whether anything changed
-- Locks      the queue's row
-- Called by  src/store/pause-queue.ts

create or replace function tasker.pause_queue (
  p_name    text,
  p_paused  boolean,
  p_actor   text default null,
  p_reason  text default null,
  p_now     timestamptz default now()
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_changed boolean;
begin
  insert into tasker.queues (name) values (p_name) on conflict (name) do nothing;

  update tasker.queues as queue
  set paused_at = case when p_paused then p_now end,
      paused_by = case when p_paused then p_actor end,
      pause_reason = case when p_paused then p_reason end
  where queue.name = p_name
    and (queue.paused_at is not null) <> p_paused;
  v_changed := found;
  if v_changed and not p_paused then
    perform pg_notify('tasker', 'ready');
  end if;
  return v_changed;
end;
$$;
