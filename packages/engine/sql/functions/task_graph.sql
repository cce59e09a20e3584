-- tasker.task_graph: a task as a graph, with all that happened to its steps, as of one moment.
--
-- Reads the rows of one task by their keys, each once; who asks does the arithmetic.
--
--   p_task_id  the task
--   p_now      the clock; only tests pass it
--
-- Returns    one row, or none when there is no such task. All times are milliseconds since its creation.
--   steps      by their numbers; parents are numbers too
--   changes    in order: step number, from, to, when, whether a stopping worker handed it back
-- Called by  src/store/analytics/task-graph.ts

create or replace function tasker.task_graph (
  p_task_id  uuid,
  p_now      timestamptz default now()
)
returns table (
  namespace   text,
  workflow    text,
  version     text,
  state       tasker.state,
  is_paused   boolean,
  created_at  timestamptz,
  finished_ms double precision,
  now_ms      double precision,
  steps       json,
  changes     json
)
language sql
stable
set search_path = ''
as $$
  select
    workflow.namespace,
    workflow.name,
    workflow.version,
    task.state,
    task.paused_at is not null,
    task.created_at,
    extract(epoch from task.finished_at - task.created_at)::double precision * 1000,
    extract(epoch from p_now - task.created_at)::double precision * 1000,
    coalesce((
      select json_agg(
        json_build_object(
          'name', definition.name,
          'parents', definition.parents,
          'skippable', definition.skippable,
          'state', case when queued.worker_id is not null then 'in_progress' else coalesce(record.state, 'pending') end,
          'attempts', coalesce(queued.attempt, record.attempts, 0),
          'maxAttempts', coalesce(queued.max_attempts, record.max_attempts, definition.max_attempts),
          'dueMs', case when queued.worker_id is null then
            extract(epoch from queued.run_at - task.created_at)::double precision * 1000
          end,
          'error', case when record.error is not null then
            json_build_object('code', record.error ->> 'code', 'message', record.error ->> 'message')
          end
        )
        order by definition.step_no
      )
      from tasker.workflow_steps as definition
      left join tasker.step_records as record
        on record.task_id = p_task_id
        and record.step_no = definition.step_no
      left join tasker.step_queue as queued
        on queued.task_id = p_task_id
        and queued.step_no = definition.step_no
      where definition.workflow_id = task.workflow_id
    ), '[]'),
    coalesce((
      select json_agg(
        json_build_array(
          change.step_no,
          change.from_state,
          change.to_state,
          extract(epoch from change.at - task.created_at)::double precision * 1000,
          change.cause is not distinct from 'handed_back'
        )
        order by change.transition_id
      )
      from tasker.transitions as change
      where change.task_id = p_task_id
        and change.step_no is not null
        and change.from_state is distinct from change.to_state
    ), '[]')
  from tasker.tasks as task
  join tasker.workflows as workflow on workflow.workflow_id = task.workflow_id
  where task.task_id = p_task_id
$$;
