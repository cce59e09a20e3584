-- tasker.export_transitions: a page of the history of a period, in its order.
--
-- A page bounds what is read, not what is found: however few rows match, a call is short and
-- keeps no old row from being vacuumed. So the last row that was read is returned too when it
-- does not match, to say where the next page begins.
--
--   p_namespace, p_workflow, p_version   filters of tasks, null for none
--   p_since, p_until   from then or later, and before; null for no bound
--   p_after, p_end     only rows with keys between these two, neither included
--   p_limit            how many rows to read at most
--   p_max_bytes        how much of errors and payloads to return about, as it is stored; one row at least
--   p_with_payload     whether what steps published is returned with its payload
--
-- Returns    the rows, by key; nothing when none is left to read
-- Called by  src/store/exports/export-transitions.ts

create or replace function tasker.export_transitions (
  p_namespace     text,
  p_workflow      text,
  p_version       text,
  p_since         timestamptz,
  p_until         timestamptz,
  p_after         bigint,
  p_end           bigint,
  p_limit         integer,
  p_max_bytes     bigint,
  p_with_payload  boolean
)
returns table (
  transition_id bigint,
  matches       boolean,
  at            timestamptz,
  task_id       uuid,
  namespace     text,
  workflow      text,
  version       text,
  step          text,
  from_state    tasker.state,
  to_state      tasker.state,
  attempt       smallint,
  worker_id     integer,
  cause         text,
  actor         text,
  reason        text,
  error         jsonb,
  event         text,
  payload       jsonb
)
language plpgsql
stable
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_workflows integer[] := case
    when coalesce(p_namespace, p_workflow, p_version) is not null
      then tasker.find_workflow_ids(p_namespace, p_workflow, p_version)
  end;
begin
  return query
  select
    page.transition_id,
    page.matches,
    page.at,
    page.task_id,
    workflow.namespace,
    workflow.name,
    workflow.version,
    definition.name,
    page.from_state,
    page.to_state,
    page.attempt,
    page.worker_id,
    page.cause,
    page.actor,
    page.reason,
    page.error,
    page.event ->> 'name',
    case when p_with_payload then page.event -> 'payload' end
  from (
    select sized.*, lead(sized.transition_id) over (order by sized.transition_id) is null as is_last
    from (
      select
        read.*,
        task.workflow_id,
        task.task_id is not null
          and (p_since is null or read.at >= p_since)
          and (p_until is null or read.at < p_until)
          and (v_workflows is null or task.workflow_id = any (v_workflows)) as matches,
        sum(read.bytes) over (order by read.transition_id) - read.bytes as bytes_before
      from (
        select
          transition.*,
          coalesce(pg_column_size(transition.error), 0)
            + case when p_with_payload then coalesce(pg_column_size(transition.event), 0) else 0 end as bytes
        from tasker.transitions as transition
        where transition.transition_id > p_after
          and transition.transition_id < p_end
        order by transition.transition_id
        limit p_limit
      ) as read
      left join tasker.tasks as task on task.task_id = read.task_id
    ) as sized
    where sized.bytes_before < p_max_bytes
  ) as page
  left join tasker.workflows as workflow on workflow.workflow_id = page.workflow_id
  left join tasker.workflow_steps as definition
    on definition.workflow_id = page.workflow_id
    and definition.step_no = page.step_no
  where page.matches
    or page.is_last
  order by page.transition_id;
end;
$$;
