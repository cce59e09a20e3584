-- tasker.read_outcomes: how tasks stand, and what those came to that have ended.
--
--   p_task_ids  the tasks
--
-- Returns    a row for each that exists, in no particular order. Before a task has ended, the
--            names of its steps, their results by name, and its failures are null; no steps are read.
-- Plans      kept, and by index only: somebody waits for the answer
-- Called by  src/store/read-outcomes.ts

create or replace function tasker.read_outcomes (p_task_ids uuid[])
returns table (
  task_id     uuid,
  state       tasker.state,
  step_names  text[],
  results     jsonb,
  failures    jsonb
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
  return query
  select task.task_id, task.state, outcome.names, outcome.results, outcome.failures
  from unnest(p_task_ids) as given (task_id)
  -- `offset 0`: see tasker.finish_steps.
  cross join lateral (
    select own.task_id, own.state, own.workflow_id
    from tasker.tasks as own
    where own.task_id = given.task_id
    offset 0
  ) as task
  left join lateral (
    select
      coalesce(array_agg(definition.name), '{}') as names,
      coalesce(
        jsonb_object_agg(definition.name, record.result) filter (where record.state in ('complete', 'resolved_manually')),
        '{}'
      ) as results,
      coalesce(
        jsonb_agg(
          jsonb_build_object('step', definition.name, 'attempts', record.attempts, 'error', record.error)
          order by record.finished_at, record.step_no
        ) filter (where record.state = 'error'),
        '[]'
      ) as failures
    from tasker.workflow_steps as definition
    left join lateral (
      select own.step_no, own.state, own.attempts, own.finished_at, own.result, own.error
      from tasker.step_records as own
      where own.task_id = task.task_id
        and own.step_no = definition.step_no
      offset 0
    ) as record on true
    where definition.workflow_id = task.workflow_id
    -- As a condition of the join it would be looked at when all steps were read.
    having task.state not in ('pending', 'in_progress')
  ) as outcome on true;
end;
$$;
