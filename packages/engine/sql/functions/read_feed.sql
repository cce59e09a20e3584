-- tasker.read_feed: the next rows of history for one who follows it.
--
-- Rows are numbered when they are written and seen when they are committed, so a follower
-- asks for what it has not got: everything after the last row that it has, and what may still
-- appear in gaps before that. Whether anything may is said by transactions: each has its
-- number, from the lock that it takes first, before it takes one for a row. So a gap stays
-- empty once all transactions below some number have ended that was given out after the gap
-- was seen. The number that a snapshot ends with will not do: those may be under way already
-- that are above it.
--
--   p_lows, p_highs  what it has not got, in order, the last range open-ended
--   p_limit          how many rows at most
--   p_mark           whether to give out such a number
--   p_task_id, p_namespace, p_workflow  which rows it wants, or null for all
--
-- Returns    a row of history each, in order, and by its number alone where it is not wanted; or one
--            row without a number when there is none. On each, of the snapshot that all were read in:
--   horizon    all transactions below this had ended
--   mark       the number that was given out before it, or null
-- Locks      nothing
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  src/store/read-feed.ts

create or replace function tasker.read_feed (
  p_lows       bigint[],
  p_highs      bigint[],
  p_limit      integer,
  p_mark       boolean,
  p_task_id    uuid,
  p_namespace  text,
  p_workflow   text
)
returns table (
  horizon        bigint,
  mark           bigint,
  transition_id  bigint,
  at             timestamptz,
  task_id        uuid,
  namespace      text,
  workflow       text,
  version        text,
  correlation_id text,
  step           text,
  from_state     tasker.state,
  to_state       tasker.state,
  attempt        smallint,
  max_attempts   smallint,
  worker_id      integer,
  cause          text,
  actor          text,
  reason         text,
  error          jsonb,
  published      jsonb,
  duration_ms    double precision,
  delay_ms       double precision
)
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  v_mark bigint;
begin
  if p_mark then
    v_mark := pg_current_xact_id()::text::bigint;
  end if;

  -- One statement, and so one snapshot.
  return query
  select
    snapshot.horizon, v_mark, seen.transition_id,
    detail.at, detail.task_id, detail.namespace, detail.workflow, detail.version, detail.correlation_id,
    detail.step, detail.from_state, detail.to_state, detail.attempt, detail.max_attempts::smallint, detail.worker_id,
    detail.cause, detail.actor, detail.reason, detail.error, detail.published, detail.duration_ms, detail.delay_ms
  from (
    select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon
  ) as snapshot
  left join (
    select own.transition_id
    from unnest(p_lows, p_highs) as missing (low, high)
    cross join lateral (
      select row.transition_id
      from tasker.transitions as row
      where row.transition_id between missing.low and missing.high
      order by row.transition_id
      limit p_limit
    ) as own
    order by own.transition_id
    limit p_limit
  ) as seen on true
  left join lateral (
    select *
    from tasker.transition_details as row
    where row.transition_id = seen.transition_id
      and (p_task_id is null or row.task_id = p_task_id)
      and (p_namespace is null or row.namespace = p_namespace)
      and (p_workflow is null or row.workflow = p_workflow)
    offset 0
  ) as detail on true
  order by seen.transition_id;
end;
$$;
