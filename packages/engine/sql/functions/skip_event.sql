-- tasker.skip_event: sets an event aside that a durable subscription cannot handle, and goes on behind it.
--
--   p_name, p_generation, p_lease  as for tasker.move_subscription
--   p_cursor    behind the event
--   p_skipped   the event: {row, event, attempts, error, given}, the last one whole
--   p_now       the clock; only tests pass it
--
-- Returns    whether the caller still held the subscription: if not, nothing was changed
-- Locks      the subscription's row
-- Called by  src/store/subscriptions/skip-event.ts

create or replace function tasker.skip_event (
  p_name        text,
  p_generation  bigint,
  p_cursor      text,
  p_skipped     jsonb,
  p_lease       interval,
  p_now         timestamptz default now()
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
  if not tasker.move_subscription(p_name, p_generation, p_cursor, null, null, p_lease, p_now) then
    return false;
  end if;

  insert into tasker.skipped_events (subscription, transition_id, name, attempts, skipped_at, event, error)
  values (
    p_name, (p_skipped ->> 'row')::bigint, p_skipped ->> 'event', (p_skipped ->> 'attempts')::integer, p_now,
    p_skipped -> 'given', p_skipped -> 'error'
  )
  -- The subscription was set back, and met it again.
  on conflict (subscription, transition_id, name) do update
  set attempts = excluded.attempts,
      skipped_at = excluded.skipped_at,
      error = excluded.error;
  return true;
end;
$$;
