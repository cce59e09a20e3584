-- tasker.uuid_v7: a UUID that sorts by when it was made, to the millisecond (RFC 9562, version 7).
--
-- PostgreSQL has its own only since version 18. No search_path here, so that the
-- planner can inline it; every name is in pg_catalog.
--
-- Returns    a new UUID
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.uuid_v7 ()
returns uuid
language sql
volatile
parallel safe
as $$
  -- gen_random_uuid has the variant set and version 4 (0100); two bits make it 7 (0111).
  select pg_catalog.encode(
    pg_catalog.set_bit(
      pg_catalog.set_bit(
        overlay(
          pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
          placing substring(
            pg_catalog.int8send((extract(epoch from pg_catalog.clock_timestamp()) * 1000)::bigint) from 3
          )
          from 1 for 6
        ),
        52, 1
      ),
      53, 1
    ),
    'hex'
  )::uuid
$$;
