-- tasker.claim_steps: gives locked, ready steps to a worker, and starts their attempts.
--
--   p_worker_id  who runs them
--   p_row_ids    their rows in the queue, locked
--   p_task_ids   their tasks, locked where they are still pending
--   p_now        the clock
--
-- Returns    the positions in p_task_ids of the tasks that started by it, one for each; or null
-- Locks      nothing that the caller has not locked
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/advance.sql

create or replace function tasker.claim_steps (
  p_worker_id  integer,
  p_row_ids    tid[],
  p_task_ids   uuid[],
  p_now        timestamptz
)
returns integer[]
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_begun integer[];
begin
  with claimed as (
    update tasker.step_queue as queued
    set worker_id = p_worker_id,
        attempt = queued.attempt + 1,
        started_at = p_now
    from unnest(p_row_ids) as locked (row_id)
    where queued.ctid = locked.row_id
    returning queued.task_id, queued.step_no, queued.attempt, queued.is_recorded
  ),
  begun as (
    update tasker.tasks as task
    set state = 'in_progress',
        started_at = p_now
    where task.task_id = any (p_task_ids)
      and task.state = 'pending'
    returning task.task_id
  ),
  history as (
    insert into tasker.transitions (at, task_id, worker_id, from_state, to_state, step_no, attempt)
    select p_now, begun.task_id, p_worker_id, 'pending'::tasker.state, 'in_progress'::tasker.state, null::smallint, null::smallint
    from begun
    union all
    select p_now, claimed.task_id, p_worker_id, coalesce(record.state, 'pending'), 'in_progress', claimed.step_no, claimed.attempt
    from claimed
    left join lateral (
      select own.state
      from tasker.step_records as own
      where claimed.is_recorded
        and own.task_id = claimed.task_id
        and own.step_no = claimed.step_no
      offset 0
    ) as record on true
  )
  select array_agg(of_task.ordinal) into v_begun
  from (
    select min(given.ordinal)::integer as ordinal
    from unnest(p_task_ids) with ordinality as given (task_id, ordinal)
    -- By a hash: array_position for each would take the square of their number, and so would the join that the
    -- planner makes of it without `is true`.
    where (given.task_id in (select begun.task_id from begun)) is true
    group by given.task_id
  ) as of_task;
  return v_begun;
end;
$$;
