-- tasker.verify: looks for whatever breaks one of the six invariants.
--
-- Reads everything, in one snapshot, and locks nothing: it may run beside workers.
--
--   p_grace  how long after the end of a lease its steps may go without a rescue
--   p_now    the clock; only tests pass it
--
-- Returns    a row per violation; none when all is well
-- Called by  src/store/verify.ts

create or replace function tasker.verify (
  p_grace  interval default interval '1 minute',
  p_now    timestamptz default now()
)
returns table (invariant text, task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  select 'progress', found.* from tasker.verify_progress(p_grace, p_now) as found
  union all
  select 'attempts', found.* from tasker.verify_attempts() as found
  union all
  select 'order', found.* from tasker.verify_order() as found
  union all
  select 'counters', found.* from tasker.verify_counters() as found
  union all
  select 'queue', found.* from tasker.verify_queue() as found
  union all
  select 'transitions', found.* from tasker.verify_transitions() as found
$$;
