-- tasker.export_steps: a page of the steps of the tasks that were created in a period, the oldest task first.
--
-- A page bounds what is read, not what is found: however few steps match, a call is short and
-- keeps no old row from being vacuumed. So the last step that was read is returned too when it
-- does not match, to say where the next page begins; and for a task without any, one row of none.
--
--   p_namespace, p_workflow, p_version   filters of tasks, null for none
--   p_states           steps in one of these states, null for all
--   p_since, p_until   of tasks that were created then or later, and before; null for no bound
--   p_after_task, p_after_step   where the page before ended; steps of later tasks, and later steps of this one
--   p_end              only tasks with keys before this one
--   p_limit            how many steps to read at most, beyond those of one task
--   p_max_bytes        how much of results and errors to return about, as text; one step at least
--   p_with_result      whether the results are returned
--
-- Returns    the steps, by task and number; nothing when none is left to read
-- Called by  src/store/exports/export-steps.ts

create or replace function tasker.export_steps (
  p_namespace    text,
  p_workflow     text,
  p_version      text,
  p_states       tasker.state[],
  p_since        timestamptz,
  p_until        timestamptz,
  p_after_task   uuid,
  p_after_step   smallint,
  p_end          uuid,
  p_limit        integer,
  p_max_bytes    bigint,
  p_with_result  boolean
)
returns table (
  task_id      uuid,
  step_no      smallint,
  matches      boolean,
  namespace    text,
  workflow     text,
  version      text,
  step         text,
  state        tasker.state,
  attempts     smallint,
  max_attempts smallint,
  started_at   timestamptz,
  finished_at  timestamptz,
  error        jsonb,
  result       jsonb
)
language plpgsql
stable
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_ids          uuid[];
  v_bytes        bigint := 0;
  v_last_matches boolean;
begin
  -- The tasks whose steps fill the page, beginning with what is left of the one that the last page ended in.
  select coalesce(array_agg(chosen.task_id), '{}')
  into v_ids
  from (
    select
      task.task_id,
      sum(size.steps) over (order by task.task_id) - size.steps as steps_before
    from tasker.tasks as task
    cross join lateral (
      select count(*) as steps
      from tasker.workflow_steps as definition
      where definition.workflow_id = task.workflow_id
        and (task.task_id > p_after_task or definition.step_no > p_after_step)
    ) as size
    where task.task_id = any (
      p_after_task || tasker.next_task_ids(
        case
          when coalesce(p_namespace, p_workflow, p_version) is not null
            then tasker.find_workflow_ids(p_namespace, p_workflow, p_version)
        end,
        p_after_task, p_end, p_limit
      )
    )
  ) as chosen
  where chosen.steps_before < p_limit;

  for task_id, step_no, matches, namespace, workflow, version, step, state, attempts, max_attempts, started_at, finished_at,
    error, result
  in
    select
      task.task_id,
      coalesce(step.step_no, -1::smallint),
      step.step_no is not null
        and (p_states is null or step.state = any (p_states))
        and tasker.task_matches(task, null, null, null, p_since, p_until),
      workflow.namespace,
      workflow.name,
      workflow.version,
      definition.name,
      step.state,
      step.attempts,
      step.max_attempts,
      step.started_at,
      step.finished_at,
      step.error,
      case when p_with_result then step.result end
    from tasker.tasks as task
    join tasker.workflows as workflow on workflow.workflow_id = task.workflow_id
    left join tasker.steps as step on step.task_id = task.task_id
    left join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.step_no = step.step_no
    where task.task_id = any (v_ids)
      and (task.task_id > p_after_task or step.step_no > p_after_step)
    order by task.task_id, step.step_no
  loop
    v_last_matches := matches;
    if matches then
      return next;
      -- As text, which is what is sent: a value may be stored in a fortieth of it. Row by row, so that none behind the
      -- page is unpacked.
      v_bytes := v_bytes + coalesce(octet_length(error::text), 0) + coalesce(octet_length(result::text), 0);
    end if;
    exit when v_bytes >= p_max_bytes;
  end loop;
  if not v_last_matches then
    return next;
  end if;
end;
$$;
