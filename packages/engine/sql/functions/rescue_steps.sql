-- tasker.rescue_steps: takes back the steps of workers whose lease has run out.
--
-- The attempt was counted when it started. While there is another, the step is
-- ready again at once; else it is in error, or skipped where it may be.
--
--   p_now  the clock; only tests pass it
--
-- Returns    a row per worker that was lost, and how many steps it held
-- Locks      each lost worker's row (exclusive, skipping those locked), then as tasker.advance
-- Called by  src/store/rescue-steps.ts

create or replace function tasker.rescue_steps (p_now timestamptz default now())
returns table (worker_id integer, steps integer)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_worker_id integer;
  v_steps     integer;
begin
  for v_worker_id in
    select worker.worker_id
    from tasker.workers as worker
    where worker.stopped_at is null
      and worker.lost_at is null
      and worker.heartbeat_at < p_now - worker.lease
    order by worker.worker_id
    for update skip locked
  loop
    update tasker.workers as worker
    set lost_at = p_now
    where worker.worker_id = v_worker_id;

    v_steps := tasker.take_back_steps(v_worker_id, 'worker_lost', p_now);
    return query select v_worker_id, v_steps;
  end loop;
end;
$$;
