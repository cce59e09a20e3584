-- tasker.count_steps: how many steps there are in each state.
--
-- Reads the tasks that were created in the period, by their keys, with their
-- steps; all of them when none is given.
--
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_since, p_until  task created then or later, and before; null for no bound
--   p_by_step         whether to count each step of each workflow version by itself
--
-- Returns    a row per state, and per step when asked for; states without steps are left out
-- Called by  src/store/analytics/count-steps.ts

create or replace function tasker.count_steps (
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_since      timestamptz,
  p_until      timestamptz,
  p_by_step    boolean
)
returns table (namespace text, workflow text, version text, step text, state tasker.state, count bigint)
language sql
stable
as $$
  select workflow.namespace, workflow.name, workflow.version, definition.name, counted.state, sum(counted.count)::bigint
  from (
    select task.workflow_id, case when p_by_step then step.step_no end as step_no, step.state, count(*) as count
    from tasker.tasks as task
    join tasker.steps as step on step.task_id = task.task_id
    where (
        coalesce(p_namespace, p_workflow, p_version) is null
        or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
      )
      and (p_since is null or task.created_at >= p_since and task.task_id >= tasker.uuid_v7_at(p_since - interval '1 day'))
      and (p_until is null or task.created_at < p_until and task.task_id < tasker.uuid_v7_at(p_until + interval '1 day'))
    group by task.workflow_id, 2, step.state
  ) as counted
  left join tasker.workflow_steps as definition
    on definition.workflow_id = counted.workflow_id
    and definition.step_no = counted.step_no
  left join tasker.workflows as workflow on workflow.workflow_id = definition.workflow_id
  group by workflow.namespace, workflow.name, workflow.version, definition.name, counted.state
$$;
