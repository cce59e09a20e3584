-- tasker.export_range: between which keys the tasks and the history of a period lie.
--
-- Keys grow with the clock, and created_at and at are when a transaction began: a day apart at
-- most, unless a transaction stays open for longer. So a day more is read on both sides, and each
-- row is compared with the period. What is written from now on is left out, or an export of a
-- busy system would never end.
--
--   p_since, p_until  from then on, and before; null for no bound
--
-- Returns    one row; the keys themselves are not included
-- Called by  src/store/exports/export-range.ts

create or replace function tasker.export_range (
  p_since  timestamptz,
  p_until  timestamptz
)
returns table (
  after_task       uuid,
  end_task         uuid,
  after_transition bigint,
  end_transition   bigint
)
language sql
volatile
set search_path = ''
as $$
  select
    coalesce(tasker.uuid_v7_at(p_since - interval '1 day'), '00000000-0000-0000-0000-000000000000'),
    -- Keys are cut to the millisecond.
    tasker.uuid_v7_at(least(p_until + interval '1 day', clock_timestamp() + interval '1 millisecond')),
    case when p_since is null then 0 else tasker.find_transition(p_since - interval '1 day') - 1 end,
    tasker.find_transition(coalesce(p_until + interval '1 day', 'infinity'))
$$;
