-- tasker.next_task_ids: the keys of the tasks that an export reads next.
--
-- Along an index, from a key onwards, so that it costs what it returns: of some workflows by the
-- index that begins with them, else by the primary key.
--
--   p_workflow_ids   of these workflows; null for all
--   p_after, p_end   greater than the first, less than the second
--   p_limit          how many at most
--
-- Returns    the keys, growing
-- Called by  sql/functions/{export_tasks,export_steps}.sql

create or replace function tasker.next_task_ids (
  p_workflow_ids integer[],
  p_after        uuid,
  p_end          uuid,
  p_limit        integer
)
returns uuid[]
language plpgsql
stable
set search_path = ''
as $$
begin
  if p_workflow_ids is null then
    return array(
      select task.task_id
      from tasker.tasks as task
      where task.task_id > p_after
        and task.task_id < p_end
      order by task.task_id
      limit p_limit
    );
  end if;

  return array(
    select next.task_id
    from unnest(p_workflow_ids) as workflow (workflow_id)
    cross join lateral (
      select task.task_id
      from tasker.tasks as task
      -- As pairs, so that only the index on both is in the right order.
      where (task.workflow_id, task.task_id) > (workflow.workflow_id, p_after)
        and (task.workflow_id, task.task_id) < (workflow.workflow_id, p_end)
      order by task.workflow_id, task.task_id
      limit p_limit
    ) as next
    order by next.task_id
    limit p_limit
  );
end;
$$;
