-- tasker.step_readiness: of every step of some tasks, how far it is, and what keeps it waiting.
--
-- The one place that says why a step waits. Reads the tasks asked for by their
-- keys, so its cost does not depend on the history. No search_path here, so that
-- the planner can inline it; every name is qualified.
--
--   p_task_ids  the tasks
--   p_now       the clock; only tests pass it
--
-- Returns a row per step. blocked_by is null for a step that runs or has ended, else
--   parents       steps that it depends on are not done: blocked_by_steps names them
--   retry         its next attempt is due at next_retry_at
--   delayed       its first attempt is due at run_at
--   waiting       it sleeps, or waits for something outside
--   operator      it failed for good: somebody has to retry, skip or resolve it
--   task_paused, queue_paused   somebody has to resume them
--   no_worker     no live worker serves its workflow and queue
--   queue_limit   its queue runs as many steps as it may
--   ready         nothing: a worker will claim it
--
-- Called by  src/store/list-steps.ts, sql/functions/task_execution_contexts.sql

create or replace function tasker.step_readiness (
  p_task_ids  uuid[],
  p_now       timestamptz default now()
)
returns table (
  task_id          uuid,
  step_no          smallint,
  name             text,
  state            tasker.state,
  blocked_by       text,
  blocked_by_steps text[],
  run_at           timestamptz,
  next_retry_at    timestamptz,
  attempts         smallint,
  max_attempts     smallint,
  started_at       timestamptz,
  finished_at      timestamptz,
  total_parents    integer,
  done_parents     integer,
  queue            text,
  priority         smallint,
  worker_id        integer
)
language sql
stable
as $$
  select
    step.task_id,
    step.step_no,
    definition.name,
    step.state,
    case
      when tasker.is_done(step.state) or step.state in ('in_progress', 'cancelled') then null
      when task.state in ('cancelled', 'resolved_manually') then null
      when step.state = 'error' then 'operator'
      when step.state = 'waiting' then 'waiting'
      when step.waiting_on > 0 then 'parents'
      when task.paused_at is not null then 'task_paused'
      when queue.paused_at is not null then 'queue_paused'
      when step.run_at > p_now and step.state = 'waiting_for_retry' then 'retry'
      when step.run_at > p_now then 'delayed'
      when definition.route_id <> all (array(select unnest(worker.routes) from tasker.live_workers(p_now) as worker))
        then 'no_worker'
      when queue.max_running <= tasker.count_running(queue.queue_id) then 'queue_limit'
      else 'ready'
    end,
    case when step.state = 'pending' and step.waiting_on > 0 then array(
      select above.name
      from tasker.workflow_steps as above
      left join tasker.step_records as parent
        on parent.task_id = step.task_id
        and parent.step_no = any (definition.parents)
        and parent.step_no = above.step_no
      where above.workflow_id = step.workflow_id
        and above.step_no = any (definition.parents)
        and (parent.state is null or not tasker.is_done(parent.state))
      order by above.step_no
    ) else '{}' end,
    case when step.worker_id is null then step.run_at end,
    case when step.state = 'waiting_for_retry' then step.run_at end,
    step.attempts,
    step.max_attempts,
    step.started_at,
    step.finished_at,
    cardinality(definition.parents),
    cardinality(definition.parents) - step.waiting_on,
    queue.name,
    coalesce(definition.priority, task.priority),
    step.worker_id
  from tasker.tasks as task
  -- Said of each table by itself, so that each is read by its keys.
  join tasker.steps as step
    on step.task_id = task.task_id
    and step.task_id = any (p_task_ids)
  join tasker.workflow_steps as definition
    on definition.workflow_id = step.workflow_id
    and definition.step_no = step.step_no
  join tasker.routes as route on route.route_id = definition.route_id
  join tasker.queues as queue on queue.queue_id = route.queue_id
  where task.task_id = any (p_task_ids)
$$;
