-- tasker.task_matches: whether a task passes the filters of a list.
--
-- No search_path here, so that the planner can inline it: filters that are null
-- then vanish from the plan, and the others use indexes.
--
--   p_task        the task
--   p_states      any of these
--   p_tags        all of these
--   p_attributes  contained in its own
--   p_since       created then or later
--   p_until       created before
--
-- Called by  sql/functions/list_tasks.sql

create or replace function tasker.task_matches (
  p_task        tasker.tasks,
  p_states      tasker.state[],
  p_tags        text[],
  p_attributes  jsonb,
  p_since       timestamptz,
  p_until       timestamptz
)
returns boolean
language sql
immutable
as $$
  select (p_states is null or p_task.state = any (p_states))
    and (p_tags is null or p_task.tags @> p_tags)
    and (p_attributes is null or p_task.attributes @> p_attributes)
    and (p_since is null or p_task.created_at >= p_since)
    and (p_until is null or p_task.created_at < p_until)
$$;
