-- tasker.rescue_steps: takes back the steps of workers whose lease has run out.
--
-- The attempt was counted when it started. While there is another, the step is
-- ready again at once; else it is in error, or skipped where it may be.
--
--   p_now  the clock; only tests pass it
--
-- Returns    a row per worker that was lost, and how many steps it held
-- Locks      the lost workers' rows (exclusive, skipping those locked), all their queue rows by
--            key, then the tasks by id
-- Called by  src/store/rescue-steps.ts

create or replace function tasker.rescue_steps (p_now timestamptz default now())
returns table (worker_id integer, steps integer)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_lost      integer[];
  v_tasks     uuid[];
  v_worker_id integer;
  v_steps     integer;
begin
  select array_agg(lost.worker_id order by lost.worker_id) into v_lost
  from (
    select worker.worker_id
    from tasker.workers as worker
    where worker.stopped_at is null
      and worker.lost_at is null
      and worker.heartbeat_at < p_now - worker.lease
    order by worker.worker_id
    for update skip locked
  ) as lost;
  if v_lost is null then
    return;
  end if;

  -- Of all of them at once: several may hold steps of one task, and a queue row must
  -- not be waited for once that task is locked.
  select array_agg(held.task_id) into v_tasks
  from (
    select queued.task_id
    from tasker.step_queue as queued
    where queued.worker_id = any (v_lost)
    order by queued.task_id, queued.step_no
    for update
  ) as held;

  perform from tasker.tasks as task
  where task.task_id = any (v_tasks)
  order by task.task_id
  for no key update;

  foreach v_worker_id in array v_lost loop
    update tasker.workers as worker
    set lost_at = p_now
    where worker.worker_id = v_worker_id;

    v_steps := tasker.take_back_steps(v_worker_id, 'worker_lost', p_now, '{}', '{}', '{}');
    return query select v_worker_id, v_steps;
  end loop;
end;
$$;
