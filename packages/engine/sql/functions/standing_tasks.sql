-- tasker.standing_tasks: the task that each request came to, new or standing under its key.
--
--   p_requests  as for tasker.create_tasks
--   p_task_ids  the task that each request would have made
--   p_created   those of them that were made
--
-- Returns    as tasker.create_tasks
-- Plans      kept, and by index only; the caller's are by hash, and would be inherited
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.standing_tasks (
  p_requests  jsonb,
  p_task_ids  uuid[],
  p_created   uuid[]
)
returns table (ordinal integer, task_id uuid, created boolean)
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  select
    given.ordinal::integer,
    case when given.task_id in (select unnest(p_created)) then given.task_id else (
      select standing.task_id
      from tasker.tasks as standing
      where standing.identity_key = given.value ->> 'identity_key'
    ) end,
    given.task_id in (select unnest(p_created))
  from rows from (jsonb_array_elements(p_requests), unnest(p_task_ids))
    with ordinality as given (value, task_id, ordinal)
  order by given.ordinal;
end;
$$;
