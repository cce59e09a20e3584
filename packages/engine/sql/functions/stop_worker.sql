-- tasker.stop_worker: ends a worker, and hands back at once what it still holds.
--
-- An attempt that is handed back was not the step's fault: it gets one more.
--
--   p_worker_id  the worker
--   p_now        the clock; only tests pass it
--
-- Returns    how many steps it handed back; 0 too when it was stopped or lost before
-- Locks      the worker's row, then as tasker.advance
-- Called by  src/store/stop-worker.ts

create or replace function tasker.stop_worker (
  p_worker_id  integer,
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
    and worker.stopped_at is null
    and worker.lost_at is null
  for update;
  if not found then
    return 0;
  end if;

  update tasker.workers as worker
  set stopped_at = p_now
  where worker.worker_id = p_worker_id;
  return tasker.take_back_steps(p_worker_id, 'handed_back', p_now, '{}', '{}', '{}');
end;
$$;
