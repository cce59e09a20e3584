-- tasker.verify_progress: tasks that are open and yet cannot move. Invariant 1.
--
-- Every task is terminal, or paused, or has a step that is ready, running under a
-- live lease, delayed, or waiting. A lease that ran out is no fault before somebody
-- had the time to rescue what it held.
--
--   p_grace  how long after the end of a lease its steps may go without a rescue
--   p_now    the clock; only tests pass it
--
-- Returns    a row per violation
-- Called by  sql/functions/verify.sql

create or replace function tasker.verify_progress (
  p_grace  interval default interval '1 minute',
  p_now    timestamptz default now()
)
returns table (task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  select task.task_id, null::smallint, format('task is %s, but none of its steps is ready, running, delayed or waiting', task.state)
  from tasker.tasks as task
  where task.state in ('pending', 'in_progress')
    and task.paused_at is null
    and not exists (select from tasker.step_queue as queued where queued.task_id = task.task_id)
    and not exists (select from tasker.step_records as record where record.task_id = task.task_id and record.state = 'waiting')
  union all
  select queued.task_id, queued.step_no,
    case
      when worker.worker_id is null then format('step is held by worker %s, which does not exist', queued.worker_id)
      when worker.stopped_at is not null then format('step is held by worker %s, which was stopped', queued.worker_id)
      when worker.lost_at is not null then format('step is held by worker %s, which was lost', queued.worker_id)
      else format('step is held by worker %s, whose lease ran out at %s', queued.worker_id, worker.heartbeat_at + worker.lease)
    end
  from tasker.step_queue as queued
  left join tasker.workers as worker on worker.worker_id = queued.worker_id
  where queued.worker_id is not null
    and (
      worker.worker_id is null
      or worker.stopped_at is not null
      or worker.lost_at is not null
      or worker.heartbeat_at + worker.lease + p_grace < p_now
    )
$$;
