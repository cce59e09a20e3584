-- Lets history be followed: an index in the order in which it was written, and a place in it
-- for the events that steps publish.
--
-- With a history of more than some ten million rows, build the index before, while workers run,
-- and this takes what it finds:
--   create unique index concurrently transitions_pkey on tasker.transitions (transition_id) with (fillfactor = 100);
--
-- Locks      transitions (access exclusive) while the index is built, half a second per million
--            rows: workers keep their leases meanwhile, and their calls wait
-- Older      workers do not survive this one: their calls fail, and they have to be updated

lock table tasker.transitions in access exclusive mode;

-- In an empty database there are none yet.
drop function if exists
  tasker.advance,
  tasker.claim_steps;

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
