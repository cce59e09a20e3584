-- tasker.summarize_ms: durations in a few numbers.
--
--   p_values  milliseconds; nulls do not count
--
-- Returns    count, totalMs, averageMs, p50Ms, p95Ms, p99Ms and maxMs; null when there are none
-- Called by  sql/functions/{task_timings,step_timings,attempt_analysis}.sql

create or replace function tasker.summarize_ms (p_values double precision[])
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'count', measured.count,
    'totalMs', measured.total,
    'averageMs', measured.total / measured.count,
    'p50Ms', measured.percentiles[1],
    'p95Ms', measured.percentiles[2],
    'p99Ms', measured.percentiles[3],
    'maxMs', measured.longest
  )
  from (
    select
      count(each.ms) as count,
      sum(each.ms) as total,
      percentile_cont(array[0.5, 0.95, 0.99]) within group (order by each.ms) as percentiles,
      max(each.ms) as longest
    from unnest(p_values) as each (ms)
  ) as measured
  where measured.count > 0
$$;
