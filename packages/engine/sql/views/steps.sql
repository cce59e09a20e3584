-- tasker.steps: every step of every task, as it stands.
--
-- A step none of whose parents is done has no row of its own anywhere; one that is ready or
-- runs has a row in step_queue; one that ended, failed before, or has some of its parents done
-- has one in step_records. Ask for the steps of given tasks: then it reads by keys alone.

create or replace view tasker.steps as
select
  task.task_id,
  definition.step_no,
  case
    when queued.worker_id is not null then 'in_progress'
    else coalesce(record.state, 'pending')
  end as state,
  (case
    -- The record may still say what was left before it became ready.
    when queued.task_id is not null then 0
    -- By their keys, in one go: joined, all steps of the task are read for each of them.
    else coalesce(record.waiting_on, cardinality(definition.parents) - (
      select count(*)
      from tasker.step_records as parent
      where parent.task_id = task.task_id
        and parent.step_no = any (definition.parents)
        and tasker.is_done(parent.state)
    ))
  end)::smallint as waiting_on,
  coalesce(queued.attempt, record.attempts, 0::smallint) as attempts,
  coalesce(queued.max_attempts, record.max_attempts, definition.max_attempts) as max_attempts,
  case when queued.worker_id is not null then queued.started_at else record.started_at end as started_at,
  record.finished_at,
  queued.run_at,
  queued.worker_id,
  record.result,
  record.error,
  -- Whoever joins the definition again joins by this, and not by the task's: the planner knows then
  -- that both are one, and finds it by its whole key.
  definition.workflow_id
from tasker.tasks as task
join tasker.workflow_steps as definition on definition.workflow_id = task.workflow_id
left join tasker.step_records as record
  on record.task_id = task.task_id
  and record.step_no = definition.step_no
left join tasker.step_queue as queued
  on queued.task_id = task.task_id
  and queued.step_no = definition.step_no;
