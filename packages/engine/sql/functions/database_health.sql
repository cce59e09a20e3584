-- tasker.database_health: what slows a queue on PostgreSQL down before it stops it.
--
-- An old transaction, whoever has it open and whatever it does, keeps the dead rows of the queue from being
-- removed, and every claim then reads past them. Another user's transactions are seen by members of
-- pg_read_all_stats alone.
--
--   p_now  the clock; only tests pass it
--
-- Returns    one row. What PostgreSQL does not know or does not show is null.
--   oldest_…           the oldest open transaction in this database, other than this one
--   horizon_xids       how many transactions ago the oldest snapshot was taken that something holds, in
--                      any database: a session, a prepared transaction, or a replication slot
--   horizon_held_by    which of these: session, prepared_transaction or replication_slot
--   connections, max_connections  of the whole server; what is reserved for superusers is no part of it
--   queue_…            the table step_queue: rows that live, dead rows, when it was last vacuumed, and
--                      its size with its indexes
--   database_bytes     the size of this database
-- Called by  src/store/analytics/database-health.ts

create or replace function tasker.database_health (p_now timestamptz default clock_timestamp())
returns table (
  oldest_pid          integer,
  oldest_application  text,
  oldest_state        text,
  oldest_began_at     timestamptz,
  oldest_age_ms       double precision,
  horizon_xids        integer,
  horizon_held_by     text,
  connections         integer,
  max_connections     integer,
  queue_live_rows     bigint,
  queue_dead_rows     bigint,
  queue_vacuumed_at   timestamptz,
  queue_bytes         bigint,
  database_bytes      bigint
)
language sql
volatile
set search_path = ''
as $$
  select
    oldest.pid,
    oldest.application_name,
    oldest.state,
    oldest.xact_start,
    (extract(epoch from p_now - oldest.xact_start) * 1000)::double precision,
    horizon.xids,
    horizon.held_by,
    (select sum(each.numbackends)::integer from pg_catalog.pg_stat_database as each),
    pg_catalog.current_setting('max_connections')::integer
      - pg_catalog.current_setting('superuser_reserved_connections')::integer,
    hot.n_live_tup,
    hot.n_dead_tup,
    greatest(hot.last_vacuum, hot.last_autovacuum),
    pg_catalog.pg_total_relation_size(hot.relid),
    pg_catalog.pg_database_size(pg_catalog.current_database())
  from pg_catalog.pg_stat_all_tables as hot
  left join (
    select activity.pid, activity.application_name, activity.state, activity.xact_start
    from pg_catalog.pg_stat_activity as activity
    where activity.datname = pg_catalog.current_database()
      and activity.backend_type = 'client backend'
      and activity.pid <> pg_catalog.pg_backend_pid()
      and activity.xact_start is not null
    order by activity.xact_start, activity.pid
    limit 1
  ) as oldest on true
  left join (
    select pg_catalog.age(holder.xmin) as xids, holder.held_by
    from (
      select activity.backend_xmin as xmin, 'session' as held_by
      from pg_catalog.pg_stat_activity as activity
      where activity.pid <> pg_catalog.pg_backend_pid()
        -- A vacuum holds back nobody.
        and activity.backend_type in ('client backend', 'walsender', 'parallel worker', 'background worker')
      union all
      select prepared.transaction, 'prepared_transaction'
      from pg_catalog.pg_prepared_xacts as prepared
      union all
      select slot.xmin, 'replication_slot'
      from pg_catalog.pg_replication_slots as slot
    ) as holder
    where holder.xmin is not null
    order by pg_catalog.age(holder.xmin) desc
    limit 1
  ) as horizon on true
  where hot.relid = 'tasker.step_queue'::pg_catalog.regclass
$$;
