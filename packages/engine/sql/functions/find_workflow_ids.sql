-- tasker.find_workflow_ids: the workflows that match a namespace, a name and a version.
--
-- All rows of a version count, the superseded ones too: tasks are pinned to them.
--
-- A call takes about 25 µs, and the planner is told so: else it asks for each row of a period where an index would
-- answer with one call. Not by a subselect, whose result it cannot look into: it would take any filter for a weak one.
--
--   p_namespace, p_workflow, p_version  null matches all
--
-- Returns    their ids
-- Called by  sql/functions/{list_tasks,count_tasks,count_steps}.sql, and the analytics

create or replace function tasker.find_workflow_ids (
  p_namespace  text,
  p_workflow   text,
  p_version    text
)
returns integer[]
language sql
stable
cost 1000
set search_path = ''
as $$
  select coalesce(array_agg(workflow.workflow_id), '{}')
  from tasker.workflows as workflow
  where (p_namespace is null or workflow.namespace = p_namespace)
    and (p_workflow is null or workflow.name = p_workflow)
    and (p_version is null or workflow.version = p_version)
$$;
