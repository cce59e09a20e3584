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
--   p_max_bytes        how much of errors and payloads to return about, as text; one row at least
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
  v_workflows    integer[] := case
    when coalesce(p_namespace, p_workflow, p_version) is not null
      then tasker.find_workflow_ids(p_namespace, p_workflow, p_version)
  end;
  v_bytes        bigint := 0;
  v_last_matches boolean;
begin
  for transition_id, matches, at, task_id, namespace, workflow, version, step, from_state, to_state, attempt, worker_id, cause,
    actor, reason, error, payload
  in
    select
      read.transition_id,
      task.task_id is not null
        and (p_since is null or read.at >= p_since)
        and (p_until is null or read.at < p_until)
        and (v_workflows is null or task.workflow_id = any (v_workflows)),
      read.at,
      read.task_id,
      workflow.namespace,
      workflow.name,
      workflow.version,
      definition.name,
      read.from_state,
      read.to_state,
      read.attempt,
      read.worker_id,
      read.cause,
      read.actor,
      read.reason,
      read.error,
      read.event
    from (
      select *
      from tasker.transitions as transition
      where transition.transition_id > p_after
        and transition.transition_id < p_end
      order by transition.transition_id
      limit p_limit
    ) as read
    left join tasker.tasks as task on task.task_id = read.task_id
    left join tasker.workflows as workflow on workflow.workflow_id = task.workflow_id
    left join tasker.workflow_steps as definition
      on definition.workflow_id = task.workflow_id
      and definition.step_no = read.step_no
    order by read.transition_id
  loop
    v_last_matches := matches;
    event := payload ->> 'name';
    payload := case when p_with_payload then payload -> 'payload' end;
    if matches then
      return next;
      -- As text, which is what is sent: a value may be stored in a fortieth of it. Row by row, so that none behind the
      -- page is unpacked.
      v_bytes := v_bytes + coalesce(octet_length(error::text), 0) + coalesce(octet_length(payload::text), 0);
    end if;
    exit when v_bytes >= p_max_bytes;
  end loop;
  if not v_last_matches then
    return next;
  end if;
end;
$$;
