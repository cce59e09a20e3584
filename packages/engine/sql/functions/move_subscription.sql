-- tasker.move_subscription: says how far a durable subscription has come, and holds it for longer.
--
--   p_name        the subscription
--   p_generation  what its claim returned
--   p_cursor      behind the last event that was handled; null when none was since the last call
--   p_failure     why the event that comes next could not be handled; null when it was not tried
--   p_retry_ms    how long until it is tried again
--   p_lease       how long it is held without another word; null gives it up
--   p_now         the clock; only tests pass it
--
-- Returns    whether the caller still held it: if not, nothing was changed
-- Locks      its row
-- Called by  src/store/subscriptions/move-subscription.ts

create or replace function tasker.move_subscription (
  p_name        text,
  p_generation  bigint,
  p_cursor      text,
  p_failure     jsonb,
  p_retry_ms    double precision,
  p_lease       interval,
  p_now         timestamptz default now()
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- What a crash of the server takes back is handled again.
  perform set_config('synchronous_commit', 'off', true);

  update tasker.subscriptions as subscription
  set cursor = coalesce(p_cursor, subscription.cursor),
      moved_at = case when p_cursor is null then subscription.moved_at else p_now end,
      failure = case when p_cursor is null then coalesce(p_failure, subscription.failure) else p_failure end,
      retry_at = case
        when p_failure is not null then p_now + p_retry_ms * interval '1 millisecond'
        when p_cursor is null then subscription.retry_at
      end,
      holder = case when p_lease is not null then subscription.holder end,
      lease_until = p_now + p_lease
  where subscription.name = p_name
    and subscription.generation = p_generation
    -- Given up once, it is claimed anew.
    and subscription.holder is not null;
  return found;
end;
$$;
