-- Lets a step be written once, when it ends, instead of when it is created, when it starts
-- and when it ends. That it runs is said by its row in the queue alone. A row stands before
-- that only where something has to be remembered: how many of several parents are left, or
-- how the last attempt failed. `tasker.steps` is a view from now on, with a row per step.
--
-- A task counts its failed steps instead of its open ones: it has ended when nothing is
-- active, and is complete unless something failed. So a step that hands over to its only
-- child leaves its task's row as it is.
--
-- Locks      tasks, steps and step_queue (access exclusive), while their rows are rewritten
-- Older      workers do not survive this one: their calls fail, and they have to be updated

-- In the order of the functions that run meanwhile, or they and this would deadlock.
lock table tasker.step_queue, tasker.tasks, tasker.steps in access exclusive mode;

-- In an empty database there are none yet.
drop view if exists tasker.task_details;
drop function if exists
  tasker.claim_steps,
  tasker.dequeue_steps,
  tasker.finish_steps,
  tasker.lock_ready_steps,
  tasker.next_task_state,
  tasker.settle_step,
  tasker.take_outcomes,
  tasker.uuid_v7;

alter table tasker.tasks
  add column failed_steps integer not null default 0;
update tasker.tasks as task
set failed_steps = failed.steps
from (
  select step.task_id, count(*)::integer as steps
  from tasker.steps as step
  where step.state = 'error'
  group by step.task_id
) as failed
where task.task_id = failed.task_id
  and task.state <> 'cancelled';
alter table tasker.tasks
  alter column failed_steps drop default,
  drop constraint tasks_consistent_check,
  drop column open_steps,
  -- One short check a table that is hot: the server parses each anew for every statement
  -- that writes the table. States before complete are those that a task has not ended in.
  add constraint tasks_consistent_check check (
    active_steps >= 0 and failed_steps >= 0 and (finished_at is null) = (state < 'complete')
  ),
  -- It is written twice after its creation, and its neighbours at the same time. With less room
  -- seven in eight of these updates left their page, and wrote to every index.
  set (fillfactor = 35);

alter table tasker.step_queue
  -- When the attempt that runs was claimed.
  add column started_at timestamptz,
  -- The workflow's, more once an operator retried the step.
  add column max_attempts smallint not null default 1,
  -- Whether the step has a row in step_records.
  add column is_recorded boolean not null default true;
update tasker.step_queue as queued
set started_at = step.started_at,
    max_attempts = step.max_attempts
from tasker.steps as step
where step.task_id = queued.task_id
  and step.step_no = queued.step_no;
alter table tasker.step_queue
  alter column max_attempts drop default,
  alter column is_recorded drop default,
  -- The claim writes each row once more, and those created together at the same time.
  set (fillfactor = 50);

alter table tasker.steps rename to step_records;
alter table tasker.step_records rename constraint steps_pkey to step_records_pkey;
-- The attempt that runs is counted by the queue until it ends.
update tasker.step_records as record
set state = 'pending',
    attempts = record.attempts - 1
where record.state = 'in_progress';
alter table tasker.step_records
  drop constraint steps_consistent_check,
  -- Parents that are not done; null where nobody counts them, because there is one at most.
  alter column waiting_on drop not null,
  -- That a step runs stands in the queue, and only there.
  add constraint step_records_consistent_check check (
    state <> 'in_progress' and waiting_on >= 0 and attempts between 0 and max_attempts
  ),
  set (fillfactor = 90);
