-- tasker.verify_queue: steps and rows of the queue that do not belong together. Invariant 5.
--
-- At most one worker holds a step, by the queue's key. A step is in progress if and only if
-- its row there has a worker, by definition: no other place says so. Left to check is that a
-- step has a row there if and only if it is ready, delayed or running, and what the row says.
--
-- Returns    a row per violation
-- Called by  sql/functions/verify.sql

create or replace function tasker.verify_queue ()
returns table (task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  with expected as (
    select
      step.task_id,
      step.step_no,
      coalesce(record.state, 'pending') as state,
      coalesce(record.attempts, 0) as attempts,
      coalesce(record.max_attempts, definition.max_attempts) as max_attempts,
      record.task_id is not null as is_recorded,
      case
        when record.state = 'waiting_for_retry' then true
        when coalesce(record.state, 'pending') = 'pending' then not exists (
          select from unnest(definition.parents) as above (step_no)
          left join tasker.step_records as parent
            on parent.task_id = step.task_id
            and parent.step_no = above.step_no
          where parent.state is null
            or not tasker.is_done(parent.state)
        )
        else false
      end as is_active
    from tasker.steps as step
    join tasker.tasks as task on task.task_id = step.task_id
    join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.step_no = step.step_no
    left join tasker.step_records as record
      on record.task_id = step.task_id
      and record.step_no = step.step_no
  ),
  compared as (
    select
      coalesce(expected.task_id, queued.task_id) as task_id,
      coalesce(expected.step_no, queued.step_no) as step_no,
      expected.state,
      expected.attempts,
      expected.max_attempts,
      expected.is_recorded,
      coalesce(expected.is_active, false) as is_active,
      queued.task_id is not null as is_queued,
      queued.worker_id,
      queued.attempt,
      queued.max_attempts as queued_max_attempts,
      queued.is_recorded as queued_is_recorded
    from expected
    full join tasker.step_queue as queued
      on queued.task_id = expected.task_id
      and queued.step_no = expected.step_no
  )
  select compared.task_id, compared.step_no,
    format(
      'step is %s, its row in the queue %s',
      coalesce(compared.state::text, 'missing'),
      case
        when not compared.is_queued then 'is missing'
        when compared.worker_id is null then 'has no worker'
        else format('has worker %s', compared.worker_id)
      end
    )
  from compared
  where compared.is_active <> compared.is_queued
  union all
  select compared.task_id, compared.step_no, format('the queue has attempt %s, the step %s', compared.attempt, compared.attempts)
  from compared
  where compared.attempt <> compared.attempts + case when compared.worker_id is null then 0 else 1 end
  union all
  select compared.task_id, compared.step_no, format('the queue allows %s attempts, the step %s', compared.queued_max_attempts, compared.max_attempts)
  from compared
  where compared.queued_max_attempts <> compared.max_attempts
  union all
  select compared.task_id, compared.step_no,
    case when compared.is_recorded then 'the step is recorded, and the queue says that it is not' else 'the queue says that the step is recorded, and it is not' end
  from compared
  where compared.queued_is_recorded <> compared.is_recorded
  union all
  select queued.task_id, queued.step_no,
    format('worker %s has the step since no time', queued.worker_id)
  from tasker.step_queue as queued
  where queued.worker_id is not null
    and queued.started_at is null
  union all
  select queued.task_id, queued.step_no,
    format('the row in the queue is %s, its queue has %s', case when queued.limited then 'limited' else 'not limited' end,
      coalesce(format('a limit of %s', queue.max_running), 'no limit'))
  from tasker.step_queue as queued
  join tasker.routes as route on route.route_id = queued.route_id
  join tasker.queues as queue on queue.queue_id = route.queue_id
  where queued.limited <> (queue.max_running is not null)
  union all
  select queued.task_id, queued.step_no,
    case when queued.held then 'step is held back, but its task is not paused' else 'its task is paused, and yet it can be claimed' end
  from tasker.step_queue as queued
  join tasker.tasks as task on task.task_id = queued.task_id
  where queued.worker_id is null
    and queued.held <> (task.paused_at is not null)
$$;
