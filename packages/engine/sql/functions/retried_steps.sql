-- tasker.retried_steps: the steps of workflows whose attempts failed and were followed by another most
-- often in a period.
--
-- Reads the history of the period, by its index on time, and then those tasks.
--
--   p_since, p_until  happened then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_limit           how many
--
-- Returns    a row per step of a workflow that was retried: how often, in how many tasks, and how its
--            steps ended after that, by tasker.ends_after_retry
-- Called by  src/store/analytics/retried-steps.ts

create or replace function tasker.retried_steps (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_limit      integer
)
returns table (
  namespace             text,
  workflow              text,
  version               text,
  step                  text,
  retries               bigint,
  tasks                 bigint,
  retried_and_completed bigint,
  retried_and_failed    bigint
)
language sql
stable
as $$
  select
    workflow.namespace,
    workflow.name,
    workflow.version,
    definition.name,
    retried.retries,
    retried.tasks,
    coalesce(after_retry.completed, 0),
    coalesce(after_retry.failed, 0)
  from (
    select
      task.workflow_id,
      failed.step_no,
      sum(failed.retries)::bigint as retries,
      count(*) as tasks
    from (
      select
        transition.task_id,
        transition.step_no,
        count(*) as retries
      from tasker.transitions as transition
      where transition.at >= p_since
        and transition.at < p_until
        and transition.step_no is not null
        and transition.from_state = 'in_progress'
        and transition.to_state = 'waiting_for_retry'
        and transition.cause is distinct from 'handed_back'
      group by transition.task_id, transition.step_no
    ) as failed
    join tasker.tasks as task on task.task_id = failed.task_id
    where coalesce(p_namespace, p_workflow, p_version) is null
      or task.workflow_id = any (tasker.find_workflow_ids(p_namespace, p_workflow, p_version))
    group by task.workflow_id, failed.step_no
    order by retries desc, task.workflow_id, failed.step_no
    limit p_limit
  ) as retried
  join tasker.workflows as workflow on workflow.workflow_id = retried.workflow_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = retried.workflow_id
    and definition.step_no = retried.step_no
  left join (
    select
      ended.workflow_id,
      ended.step_no,
      count(*) filter (where ended.state = 'complete') as completed,
      count(*) filter (where ended.state <> 'complete') as failed
    from tasker.ends_after_retry(p_since, p_until, p_namespace, p_workflow, p_version) as ended
    group by ended.workflow_id, ended.step_no
  ) as after_retry
    on after_retry.workflow_id = retried.workflow_id
    and after_retry.step_no = retried.step_no
  order by retried.retries desc, retried.workflow_id, retried.step_no
$$;
