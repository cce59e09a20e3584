-- tasker.count_buckets: how many durations fall between which bounds.
--
--   p_values  milliseconds; nulls do not count
--   p_bounds  the bounds, rising
--
-- Returns    counts, one more than there are bounds: below the first, from it and below the second, …,
--            from the last on
-- Called by  sql/functions/{task_timings,attempt_analysis}.sql

create or replace function tasker.count_buckets (
  p_values  double precision[],
  p_bounds  double precision[]
)
returns integer[]
language sql
immutable
set search_path = ''
as $$
  select array_agg(coalesce(filled.count, 0) order by bucket.number)
  from generate_series(0, cardinality(p_bounds)) as bucket (number)
  left join (
    select width_bucket(each.ms, p_bounds) as number, count(*)::integer as count
    from unnest(p_values) as each (ms)
    where each.ms is not null
    group by 1
  ) as filled on filled.number = bucket.number
$$;
