-- tasker.uuid_v7_at: the smallest UUID, version 7, of a moment.
--
-- Tasks are keyed by when they were made, so a period of time is a range of keys.
--
--   p_at  the moment, cut to the millisecond; null gives null
--
-- Returns    a UUID that is not greater than any that tasker.uuids_v7 makes at that moment or later
-- Called by  sql/functions/{list_tasks,count_tasks,count_steps}.sql

create or replace function tasker.uuid_v7_at (p_at timestamptz)
returns uuid
language sql
immutable
strict
parallel safe
as $$
  select encode(
    -- The version; years before 1970 and after 10889 have no such UUID.
    set_byte(
      substring(
        int8send(least(greatest(floor(extract(epoch from p_at) * 1000), 0), 281474976710655)::bigint) from 3
      ) || decode('00000000000000000000', 'hex'),
      6, 112
    ),
    'hex'
  )::uuid
$$;
