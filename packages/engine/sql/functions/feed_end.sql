-- tasker.feed_end: where one stands who follows history from now on.
--
--   p_lookback  how many rows back it looks for gaps, which others that are under way may fill
--
-- Returns    the last row, 0 when there is none; the gaps among those before it; and the highest
--            number that was given to a row, seen or not
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  src/store/feed-end.ts

create or replace function tasker.feed_end (
  p_lookback  integer,
  out head    bigint,
  out lows    bigint[],
  out highs   bigint[],
  out given   bigint
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  select
    coalesce(max(near.transition_id), 0),
    coalesce(array_agg(near.before + 1 order by near.transition_id) filter (where near.before < near.transition_id - 1), '{}'),
    coalesce(array_agg(near.transition_id - 1 order by near.transition_id) filter (where near.before < near.transition_id - 1), '{}'),
    (select sequence.last_value from tasker.transitions_transition_id_seq as sequence)
  into head, lows, highs, given
  from (
    select newest.transition_id, lag(newest.transition_id) over (order by newest.transition_id) as before
    from (
      select transition.transition_id
      from tasker.transitions as transition
      order by transition.transition_id desc
      limit p_lookback
    ) as newest
  ) as near;
end;
$$;
