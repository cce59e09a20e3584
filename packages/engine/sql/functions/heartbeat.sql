-- tasker.heartbeat: extends the lease of a worker, and of all that it runs.
--
-- Does not wait for the disk: a heartbeat that a crash of the server takes back is
-- followed by the next.
--
--   p_worker_id  the worker
--   p_task_ids, p_step_nos, p_attempts  what it believes that it runs
--   p_now        the clock; only tests pass it
--
-- Returns    the attempts among them that it no longer holds: cancelled, or taken back
-- Locks      the worker's row
-- Raises     TK001 when the worker is lost or stopped: it must start anew
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  src/store/heartbeat.ts

create or replace function tasker.heartbeat (
  p_worker_id  integer,
  p_task_ids   uuid[],
  p_step_nos   smallint[],
  p_attempts   smallint[],
  p_now        timestamptz default now()
)
returns table (task_id uuid, step_no smallint, attempt smallint)
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);

  update tasker.workers as worker
  set heartbeat_at = p_now
  where worker.worker_id = p_worker_id
    and worker.lost_at is null
    and worker.stopped_at is null;
  if not found then
    raise exception 'worker % is lost or stopped', p_worker_id using errcode = 'TK001';
  end if;

  return query
  select given.task_id, given.step_no, given.attempt
  from unnest(p_task_ids, p_step_nos, p_attempts) as given (task_id, step_no, attempt)
  left join tasker.step_queue as queued
    on queued.task_id = given.task_id
    and queued.step_no = given.step_no
    and queued.worker_id = p_worker_id
    and queued.attempt = given.attempt
  where queued.task_id is null;
end;
$$;
