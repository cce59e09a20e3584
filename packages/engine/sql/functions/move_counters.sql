-- tasker.move_counters: moves the counters of tasks whose steps moved, and ends the tasks
-- when the counters say so.
--
-- Tasks whose counters stay as they are, because each step that ended was followed by
-- another, are not written.
--
--   p_task_ids, p_states   the tasks of the steps that moved, and what each step became
--   p_ready_task_ids       the tasks of the steps that became ready, once for each
--   p_from, p_task_from, p_were_active, p_worker_id, p_actor, p_reason, p_now
--                          as for tasker.finish_steps
--
-- Returns    the tasks that ended, and how
-- Locks      nothing that the caller has not locked
-- Plans      kept, and by index only: one that was made while the tables were empty would
--            read them whole for as long as the connection lives
-- Called by  sql/functions/finish_steps.sql

create or replace function tasker.move_counters (
  p_task_ids        uuid[],
  p_states          tasker.state[],
  p_ready_task_ids  uuid[],
  p_from            tasker.state,
  p_task_from       tasker.state,
  p_were_active     boolean,
  p_worker_id       integer,
  p_actor           text,
  p_reason          text,
  p_now             timestamptz,
  out ended_task_ids  uuid[],
  out ended_states    tasker.state[]
)
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  with change as (
    select each_task.*, task.row_id
    from (
      select each_step.task_id, sum(each_step.active)::integer as active, sum(each_step.failed)::integer as failed
      from (
        select
          moved.task_id,
          case when p_were_active and moved.state <> 'waiting_for_retry' then -1 else 0 end as active,
          case when moved.state = 'error' then 1 when p_from = 'error' then -1 else 0 end as failed
        from unnest(p_task_ids, p_states) as moved (task_id, state)
        union all
        select ready.task_id, 1, 0 from unnest(p_ready_task_ids) as ready (task_id)
      ) as each_step
      group by each_step.task_id
      having sum(each_step.active) <> 0 or sum(each_step.failed) <> 0
    ) as each_task
    -- `offset 0`: see tasker.finish_steps.
    cross join lateral (
      select own.ctid as row_id
      from tasker.tasks as own
      where own.task_id = each_task.task_id
      offset 0
    ) as task
  ),
  counted as (
    update tasker.tasks as task
    set active_steps = task.active_steps + change.active,
        failed_steps = task.failed_steps + change.failed,
        state = tasker.next_task_state(
          p_task_from, task.active_steps + change.active, task.failed_steps + change.failed
        ),
        finished_at = case tasker.next_task_state(
          p_task_from, task.active_steps + change.active, task.failed_steps + change.failed
        )
          when 'pending' then null
          when 'in_progress' then null
          when p_task_from then task.finished_at
          else p_now
        end
    from change
    where task.ctid = change.row_id
    returning task.task_id, task.state
  ),
  history as (
    insert into tasker.transitions (at, task_id, worker_id, from_state, to_state, actor, reason)
    -- A task that ends, or starts, from anywhere else passes through in_progress.
    select p_now, counted.task_id, p_worker_id, p_task_from, 'in_progress', p_actor, p_reason
    from counted
    where p_task_from <> 'in_progress'
      and counted.state <> p_task_from
    union all
    select p_now, counted.task_id, p_worker_id, 'in_progress', counted.state, p_actor, p_reason
    from counted
    where counted.state in ('complete', 'error')
      and counted.state <> p_task_from
  )
  select
    coalesce(array_agg(counted.task_id), '{}'),
    coalesce(array_agg(counted.state), '{}')
  into ended_task_ids, ended_states
  from counted
  where counted.state in ('complete', 'error')
    and counted.state <> p_task_from;
end;
$$;
