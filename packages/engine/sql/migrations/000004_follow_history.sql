-- Lets history be followed: an index in the order in which it was written, a place in it for
-- the events that steps publish, and where each durable subscription stands.
--
-- With a history of more than some ten million rows, build the index before, while workers run,
-- and this takes what it finds:
--   create unique index concurrently transitions_pkey on tasker.transitions (transition_id) with (fillfactor = 100);
--
-- Locks      transitions (access exclusive) while the index is built, half a second per million
--            rows: workers keep their leases meanwhile, and their calls wait
-- Older      stop their workers before: a call that waits for the lock finds its functions gone,
--            and they take that for a fault of what they were to record, a finished step
--            for a failed one

lock table tasker.transitions in access exclusive mode;

-- In an empty database there are none yet.
drop function if exists
  tasker.advance,
  tasker.claim_steps,
  tasker.register_workflow;

alter table tasker.transitions
  -- What a step published, {name, payload}, where the cause is published.
  add column event jsonb,
  drop constraint transitions_change_check,
  -- Pausing, cutting a wait short and publishing change no state, but are history. It lets in
  -- more than the one before, so that no row has to be looked at.
  add constraint transitions_change_check check (
    from_state is distinct from to_state or cause in ('paused', 'resumed', 'hastened', 'published')
  ) not valid;

-- Rows come in this order, and none in between.
create unique index if not exists transitions_pkey
  on tasker.transitions (transition_id)
  with (fillfactor = 100);
alter table tasker.transitions
  add constraint transitions_pkey primary key using index transitions_pkey;

-- Who handles every event, and how far it has come.
create table tasker.subscriptions (
  name        text not null,
  -- Behind the last event that was handled.
  cursor      text not null,
  -- Grows with each claim and whenever the cursor is set from outside: who holds an older one holds nothing.
  generation  bigint not null,
  -- The process that handles its events, until its lease runs out. Null: nobody.
  holder      text,
  lease_until timestamptz,
  created_at  timestamptz not null,
  moved_at    timestamptz not null,
  -- Of the next event, {row, event, attempts, error}, where handling it failed; and when it is tried again.
  failure     jsonb,
  retry_at    timestamptz,
  constraint subscriptions_pkey primary key (name),
  constraint subscriptions_name_check check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint subscriptions_holder_check check ((holder is null) = (lease_until is null))
) with (fillfactor = 50);

-- Events that a subscription has given up.
create table tasker.skipped_events (
  subscription  text not null,
  transition_id bigint not null,
  name          text not null,
  attempts      integer not null,
  skipped_at    timestamptz not null,
  event         jsonb not null,
  error         jsonb not null,
  constraint skipped_events_pkey primary key (subscription, transition_id, name)
);
