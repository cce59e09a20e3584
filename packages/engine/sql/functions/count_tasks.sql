-- tasker.count_tasks: how many tasks there are in each state.
--
-- Reads the tasks that were created in the period, by their keys; all of them when
-- none is given.
--
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_since, p_until  created then or later, and before; null for no bound
--   p_by_workflow     whether to count each workflow version by itself
--
-- Returns    a row per state, and per workflow version when asked for; states without tasks are left out
-- Called by  src/store/analytics/count-tasks.ts

create or replace function tasker.count_tasks (
  p_namespace    text,
  p_workflow     text,
  p_version      text,
  p_since        timestamptz,
  p_until        timestamptz,
  p_by_workflow  boolean
)
returns table (namespace text, workflow text, version text, state tasker.state, count bigint)
language sql
stable
as $$
  select workflow.namespace, workflow.name, workflow.version, counted.state, sum(counted.count)::bigint
  from (
    select task.workflow_id, task.state, count(*) as count
    from tasker.tasks as task
    where (
        coalesce(p_namespace, p_workflow, p_version) is null
        or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
      )
      -- As in tasker.list_tasks, the keys are within a day of created_at.
      and (p_since is null or task.created_at >= p_since and task.task_id >= tasker.uuid_v7_at(p_since - interval '1 day'))
      and (p_until is null or task.created_at < p_until and task.task_id < tasker.uuid_v7_at(p_until + interval '1 day'))
    group by task.workflow_id, task.state
  ) as counted
  left join tasker.workflows as workflow
    on p_by_workflow
    and workflow.workflow_id = counted.workflow_id
  group by workflow.namespace, workflow.name, workflow.version, counted.state
$$;
