-- tasker.verify_counters: counters that do not equal what counting says. Invariant 4.
--
-- Returns    a row per violation
-- Called by  sql/functions/verify.sql

create or replace function tasker.verify_counters ()
returns table (task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  with counted as (
    select
      step.task_id,
      count(*) as steps,
      count(*) filter (where not tasker.is_done(step.state) and step.state <> 'cancelled') as open,
      count(*) filter (where step.state = 'error') as failed,
      count(*) filter (where step.state = 'waiting') as waiting
    from tasker.steps as step
    group by step.task_id
  ),
  in_queue as (
    select queued.task_id, count(*) as steps
    from tasker.step_queue as queued
    group by queued.task_id
  ),
  defined as (
    select definition.workflow_id, count(*) as steps
    from tasker.workflow_steps as definition
    group by definition.workflow_id
  ),
  actual as (
    select
      task.*,
      coalesce(counted.steps, 0) as steps,
      coalesce(defined.steps, 0) as steps_defined,
      coalesce(counted.open, 0) as open,
      coalesce(counted.failed, 0) as failed,
      coalesce(counted.waiting, 0) + coalesce(in_queue.steps, 0) as active
    from tasker.tasks as task
    left join counted on counted.task_id = task.task_id
    left join in_queue on in_queue.task_id = task.task_id
    left join defined on defined.workflow_id = task.workflow_id
  )
  select actual.task_id, null::smallint, format('open_steps is %s, counting says %s', actual.open_steps, actual.open)
  from actual
  where actual.open_steps <> actual.open
  union all
  select actual.task_id, null, format('active_steps is %s, counting says %s', actual.active_steps, actual.active)
  from actual
  where actual.active_steps <> actual.active
  union all
  select actual.task_id, null, format('task has %s steps, its workflow has %s', actual.steps, actual.steps_defined)
  from actual
  where actual.steps <> actual.steps_defined
  union all
  -- A task ends in the moment that its counters say so.
  select actual.task_id, null, format('task is %s with %s open steps, %s of them active and %s failed', actual.state, actual.open, actual.active, actual.failed)
  from actual
  where case actual.state
      when 'cancelled' then actual.open > 0
      when 'complete' then actual.open > 0
      when 'error' then actual.active > 0 or actual.failed = 0
      when 'resolved_manually' then actual.active > 0
      else actual.open = 0
    end
  union all
  select step.task_id, step.step_no, format('waiting_on is %s, counting says %s', step.waiting_on, parents.open)
  from tasker.steps as step
  join tasker.tasks as task on task.task_id = step.task_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = task.workflow_id
    and definition.step_no = step.step_no
  cross join lateral (
    select count(*) as open
    from tasker.steps as parent
    where parent.task_id = step.task_id
      and parent.step_no = any (definition.parents)
      and not tasker.is_done(parent.state)
  ) as parents
  where step.waiting_on <> parents.open
$$;
