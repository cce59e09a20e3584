-- tasker.oldest_ready_steps: of each queue, the step that has been ready for longest.
--
-- Asks the index of ready steps for the first of each route and priority, and reads nothing else.
--
--   p_now  the clock; only tests pass it
--
-- Returns    a row per queue in which a step is ready
-- Called by  src/store/analytics/oldest-ready-steps.ts

create or replace function tasker.oldest_ready_steps (p_now timestamptz default now())
returns table (queue text, task_id uuid, step text, ready_at timestamptz, age_ms double precision)
language sql
stable
set search_path = ''
as $$
  select distinct on (queue.name)
    queue.name,
    oldest.task_id,
    definition.name,
    oldest.run_at,
    (extract(epoch from p_now - oldest.run_at) * 1000)::double precision
  from tasker.queues as queue
  join tasker.routes as route on route.queue_id = queue.queue_id
  cross join generate_series(1, 4) as level (priority)
  cross join lateral (
    select queued.task_id, queued.step_no, queued.run_at
    from tasker.step_queue as queued
    where queued.route_id = route.route_id
      and queued.priority = level.priority
      and queued.worker_id is null
      and not queued.held
      and queued.run_at <= p_now
    order by queued.run_at
    limit 1
  ) as oldest
  left join tasker.workflow_steps as definition
    on definition.workflow_id = route.workflow_id
    and definition.step_no = oldest.step_no
  order by queue.name, oldest.run_at, oldest.task_id, oldest.step_no
$$;
