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
--   p_max_bytes        how much of results to return about, as it is stored; one step at least
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
  v_ids uuid[];
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

  return query
  select
    page.task_id,
    page.step_no,
    page.matches,
    workflow.namespace,
    workflow.name,
    workflow.version,
    definition.name,
    page.state,
    page.attempts,
    page.max_attempts,
    page.started_at,
    page.finished_at,
    page.error,
    case when p_with_result then page.result end
  from (
    select sized.*, lead(sized.task_id) over (order by sized.task_id, sized.step_no) is null as is_last
    from (
      select
        read.*,
        sum(read.bytes) over (order by read.task_id, read.step_no) - read.bytes as bytes_before
      from (
        select
          task.task_id,
          task.workflow_id,
          coalesce(step.step_no, -1::smallint) as step_no,
          step.state,
          step.attempts,
          step.max_attempts,
          step.started_at,
          step.finished_at,
          step.error,
          step.result,
          step.step_no is not null
            and (p_states is null or step.state = any (p_states))
            and tasker.task_matches(task, null, null, null, p_since, p_until) as matches,
          coalesce(pg_column_size(step.error), 0)
            + case when p_with_result then coalesce(pg_column_size(step.result), 0) else 0 end as bytes
        from tasker.tasks as task
        left join tasker.steps as step on step.task_id = task.task_id
        where task.task_id = any (v_ids)
          and (task.task_id > p_after_task or step.step_no > p_after_step)
      ) as read
    ) as sized
    where sized.bytes_before < p_max_bytes
  ) as page
  join tasker.workflows as workflow on workflow.workflow_id = page.workflow_id
  left join tasker.workflow_steps as definition
    on definition.workflow_id = page.workflow_id
    and definition.step_no = page.step_no
  where page.matches
    or page.is_last
  order by page.task_id, page.step_no;
end;
$$;
