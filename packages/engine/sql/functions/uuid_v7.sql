-- tasker.uuid_v7: a UUID that sorts by when it was made, to the microsecond (RFC 9562, version 7).
--
-- PostgreSQL has its own only since version 18. The twelve bits after the version hold the
-- fraction of the millisecond (method 3 of the RFC), so that tasks created in one statement
-- have growing keys: their index pages fill from the left, and none is split in the middle.
--
-- Returns    a new UUID
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.uuid_v7 ()
returns uuid
language sql
volatile
parallel safe
set search_path = ''
as $$
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
  from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as microseconds) as clock
$$;
