-- tasker.claim_subscription: takes a durable subscription that nobody holds, for as long as a lease.
--
--   p_name    the subscription
--   p_holder  who takes it, for people to read
--   p_lease   how long it is held without another word
--   p_now     the clock; only tests pass it
--
-- Returns    one row, or none when there is no such subscription
--   generation  what the holder shows from now on; null when another process holds it
--   held_ms     how long that one's lease still runs
--   cursor, failure  where it stands, and what is known of the event that comes next
--   retry_ms    how long until that one is tried again
-- Locks      its row
-- Called by  src/store/subscriptions/claim-subscription.ts

create or replace function tasker.claim_subscription (
  p_name    text,
  p_holder  text,
  p_lease   interval,
  p_now     timestamptz default now()
)
returns table (
  generation bigint,
  held_ms    double precision,
  cursor     text,
  failure    jsonb,
  retry_ms   double precision
)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
begin
  return query
  update tasker.subscriptions as subscription
  set generation = subscription.generation + 1,
      holder = p_holder,
      lease_until = p_now + p_lease
  where subscription.name = p_name
    and (subscription.lease_until is null or subscription.lease_until <= p_now)
  returning
    subscription.generation,
    null::double precision,
    subscription.cursor,
    subscription.failure,
    (extract(epoch from subscription.retry_at - p_now) * 1000)::double precision;
  if found then
    return;
  end if;

  return query
  select
    null::bigint,
    (extract(epoch from subscription.lease_until - p_now) * 1000)::double precision,
    null::text,
    null::jsonb,
    null::double precision
  from tasker.subscriptions as subscription
  where subscription.name = p_name;
end;
$$;
