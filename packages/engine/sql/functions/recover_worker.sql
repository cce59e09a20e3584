-- tasker.recover_worker: settles what a worker holds, after an answer was lost on its way.
--
-- A call whose connection broke may have committed: then the worker holds steps
-- that it never heard of, and nobody would run them while it lives. They are
-- handed back.
--
--   p_worker_id  the worker, with no call under way
--   p_task_ids, p_step_nos, p_attempts  what it knows that it runs, or has an outcome for
--   p_now        the clock; only tests pass it
--
-- Returns    how many steps it handed back
-- Locks      the worker's row, then as tasker.advance
-- Raises     TK001 when the worker is lost or stopped: it must start anew
-- Called by  src/store/recover-worker.ts

create or replace function tasker.recover_worker (
  p_worker_id  integer,
  p_task_ids   uuid[],
  p_step_nos   smallint[],
  p_attempts   smallint[],
  p_now        timestamptz default now()
)
returns integer
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform from tasker.workers as worker
  where worker.worker_id = p_worker_id
    and worker.lost_at is null
    and worker.stopped_at is null
  for update;
  if not found then
    raise exception 'worker % is lost or stopped', p_worker_id using errcode = 'TK001';
  end if;
  return tasker.take_back_steps(p_worker_id, 'handed_back', p_now, p_task_ids, p_step_nos, p_attempts);
end;
$$;
