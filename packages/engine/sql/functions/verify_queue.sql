-- tasker.verify_queue: steps and rows of the queue that do not belong together. Invariant 5.
--
-- At most one worker holds a step, by the queue's key; a step is in_progress if and
-- only if its queue row has a worker; it has a row without one if and only if it
-- is ready or delayed.
--
-- Returns    a row per violation
-- Called by  sql/functions/verify.sql

create or replace function tasker.verify_queue ()
returns table (task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  select
    coalesce(step.task_id, queued.task_id),
    coalesce(step.step_no, queued.step_no),
    format(
      'step is %s, its row in the queue %s',
      coalesce(step.state::text, 'missing'),
      case
        when queued.task_id is null then 'is missing'
        when queued.worker_id is null then 'has no worker'
        else format('has worker %s', queued.worker_id)
      end
    )
  from tasker.steps as step
  full join tasker.step_queue as queued
    on queued.task_id = step.task_id
    and queued.step_no = step.step_no
  where case
      when step.task_id is null then 'none'
      when step.state = 'in_progress' then 'held'
      when step.state = 'waiting_for_retry' or step.state = 'pending' and step.waiting_on = 0 then 'free'
      else 'none'
    end <> case
      when queued.task_id is null then 'none'
      when queued.worker_id is not null then 'held'
      else 'free'
    end
  union all
  select queued.task_id, queued.step_no, format('the queue has attempt %s, the step %s', queued.attempt, step.attempts)
  from tasker.step_queue as queued
  join tasker.steps as step on step.task_id = queued.task_id and step.step_no = queued.step_no
  where queued.attempt <> step.attempts
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
