-- tasker.task_details: each task with the workflow that it is pinned to.
--
-- Read by  src/store/{read-task,list-tasks}.ts, and people

create or replace view tasker.task_details as
select
  task.task_id,
  workflow.namespace,
  workflow.name as workflow,
  workflow.version,
  task.state,
  task.priority,
  task.paused_at,
  (
    select count(*)::integer
    from tasker.workflow_steps as definition
    where definition.workflow_id = task.workflow_id
  ) as step_count,
  case when task.state in ('complete', 'cancelled') then 0 else (
    select count(*)::integer
    from tasker.workflow_steps as definition
    left join tasker.step_records as record
      on record.task_id = task.task_id
      and record.step_no = definition.step_no
    where definition.workflow_id = task.workflow_id
      and (record.state is null or not tasker.is_done(record.state))
  ) end as open_steps,
  task.active_steps,
  task.input,
  task.tags,
  task.attributes,
  task.identity_key,
  -- What its log lines and events have too.
  coalesce(task.correlation_id, task.task_id::text) as correlation_id,
  task.initiator,
  task.source_system,
  task.reason,
  task.trace_context,
  task.created_at,
  task.started_at,
  task.finished_at
from tasker.tasks as task
join tasker.workflows as workflow on workflow.workflow_id = task.workflow_id;
