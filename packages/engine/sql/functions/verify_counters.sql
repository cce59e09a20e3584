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
      record.task_id,
      count(*) filter (where record.state = 'error') as failed,
      count(*) filter (where record.state = 'waiting') as waiting
    from tasker.step_records as record
    group by record.task_id
  ),
  in_queue as (
    select queued.task_id, count(*) as steps
    from tasker.step_queue as queued
    group by queued.task_id
  ),
  actual as (
    select
      task.*,
      case when task.state = 'cancelled' then 0 else coalesce(counted.failed, 0) end as failed,
      coalesce(counted.waiting, 0) + coalesce(in_queue.steps, 0) as active,
      (
        select count(*)
        from tasker.steps as step
        where step.task_id = task.task_id
          and not tasker.is_done(step.state)
          and step.state <> 'cancelled'
      ) as open
    from tasker.tasks as task
    left join counted on counted.task_id = task.task_id
    left join in_queue on in_queue.task_id = task.task_id
  )
  select actual.task_id, null::smallint, format('active_steps is %s, counting says %s', actual.active_steps, actual.active)
  from actual
  where actual.active_steps <> actual.active
  union all
  select actual.task_id, null, format('failed_steps is %s, counting says %s', actual.failed_steps, actual.failed)
  from actual
  where actual.failed_steps <> actual.failed
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
  -- A record of a step that its workflow does not have, or of a task that there is not.
  select record.task_id, record.step_no, 'the record belongs to no step'
  from tasker.step_records as record
  left join tasker.tasks as task on task.task_id = record.task_id
  left join tasker.workflow_steps as definition
    on definition.workflow_id = task.workflow_id
    and definition.step_no = record.step_no
  where definition.step_no is null
  union all
  select record.task_id, record.step_no, format('waiting_on is %s, counting says %s', record.waiting_on, parents.open)
  from tasker.step_records as record
  join tasker.tasks as task on task.task_id = record.task_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = task.workflow_id
    and definition.step_no = record.step_no
  cross join lateral (
    select count(*) as open
    from unnest(definition.parents) as above (step_no)
    left join tasker.step_records as parent
      on parent.task_id = record.task_id
      and parent.step_no = above.step_no
    where parent.state is null
      or not tasker.is_done(parent.state)
  ) as parents
  left join tasker.step_queue as queued
    on queued.task_id = record.task_id
    and queued.step_no = record.step_no
  -- One that stands in the queue waits for nobody, whatever its record says.
  where case when queued.task_id is null then record.waiting_on else 0 end <> parents.open
  union all
  select step.task_id, step.step_no, 'nobody counts the parents that the step waits for'
  from tasker.steps as step
  join tasker.tasks as task on task.task_id = step.task_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = task.workflow_id
    and definition.step_no = step.step_no
  left join tasker.step_records as record
    on record.task_id = step.task_id
    and record.step_no = step.step_no
  where step.state = 'pending'
    and record.waiting_on is null
    -- While none of them is done, nobody needs to.
    and step.waiting_on > 0
    and step.waiting_on < cardinality(definition.parents)
$$;
