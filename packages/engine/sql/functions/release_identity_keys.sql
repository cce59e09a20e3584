-- tasker.release_identity_keys: takes the key from tasks that failed or were cancelled,
-- where a request asks for a new task then.
--
--   p_requests  as for tasker.create_tasks
--
-- Locks      the tasks that hold such keys, by id
-- Plans      kept, and by index only; the caller's are by hash, and would be inherited
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.release_identity_keys (p_requests jsonb)
returns void
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  perform from tasker.tasks as task
  where task.state in ('error', 'cancelled')
    and task.identity_key in (
      select given.value ->> 'identity_key'
      from jsonb_array_elements(p_requests) as given
      where given.value ->> 'on_failed' = 'create'
    )
  order by task.task_id
  for no key update;

  update tasker.tasks as task
  set identity_key = null
  where task.state in ('error', 'cancelled')
    and task.identity_key in (
      select given.value ->> 'identity_key'
      from jsonb_array_elements(p_requests) as given
      where given.value ->> 'on_failed' = 'create'
    );
end;
$$;
