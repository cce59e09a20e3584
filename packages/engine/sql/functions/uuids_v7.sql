-- tasker.uuids_v7: UUIDs that sort by when they were made, to the microsecond (RFC 9562, version 7).
--
-- PostgreSQL has its own only since version 18. The twelve bits after the version hold the
-- fraction of the millisecond (method 3 of the RFC), so that tasks created in one statement
-- have growing keys: their index pages fill from the left, and none is split in the middle.
-- Many at once, in PL/pgSQL, because a function in SQL is planned anew by each call.
--
--   p_count  how many
--
-- Returns    new UUIDs, growing
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.uuids_v7 (p_count integer)
returns uuid[]
language plpgsql
volatile
set search_path = ''
as $$
begin
  return array(
    select encode(
      overlay(
        uuid_send(gen_random_uuid())
        placing int8send(
          ((clock.microseconds / 1000) << 16) | (7 << 12) | ((clock.microseconds % 1000) * 4096 / 1000)
        )
        from 1 for 8
      ),
      'hex'
    )::uuid
    from (
      select (extract(epoch from clock_timestamp()) * 1000000)::bigint as microseconds
      from generate_series(1, p_count)
      offset 0
    ) as clock
  );
end;
$$;
