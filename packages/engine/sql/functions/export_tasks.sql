-- tasker.export_tasks: a page of the tasks that were created in a period, the oldest first.
--
-- A page bounds what is read, not what is found: however few tasks match, a call is short and
-- keeps no old row from being vacuumed. So the last task that was read is returned too when it
-- does not match, to say where the next page begins.
--
--   p_namespace, p_workflow, p_version, p_states   filters, null for none
--   p_since, p_until   created then or later, and before; null for no bound
--   p_after, p_end     only tasks with keys between these two, neither included
--   p_limit            how many tasks to read at most
--   p_max_bytes        how much of inputs and attributes to return about, as text; one task at least
--   p_with_input       whether the inputs are returned
--
-- Returns    the tasks, by key; nothing when none is left to read
-- Called by  src/store/exports/export-tasks.ts

create or replace function tasker.export_tasks (
  p_namespace   text,
  p_workflow    text,
  p_version     text,
  p_states      tasker.state[],
  p_since       timestamptz,
  p_until       timestamptz,
  p_after       uuid,
  p_end         uuid,
  p_limit       integer,
  p_max_bytes   bigint,
  p_with_input  boolean
)
returns table (
  task_id        uuid,
  matches        boolean,
  namespace      text,
  workflow       text,
  version        text,
  state          tasker.state,
  priority       smallint,
  created_at     timestamptz,
  started_at     timestamptz,
  finished_at    timestamptz,
  paused_at      timestamptz,
  tags           text[],
  attributes     jsonb,
  correlation_id text,
  initiator      text,
  source_system  text,
  reason         text,
  input          jsonb
)
language plpgsql
stable
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_ids          uuid[] := tasker.next_task_ids(
    case
      when coalesce(p_namespace, p_workflow, p_version) is not null
        then tasker.find_workflow_ids(p_namespace, p_workflow, p_version)
    end,
    p_after, p_end, p_limit
  );
  v_bytes        bigint := 0;
  v_last_matches boolean;
begin
  for task_id, matches, namespace, workflow, version, state, priority, created_at, started_at, finished_at, paused_at, tags,
    attributes, correlation_id, initiator, source_system, reason, input
  in
    select
      task.task_id,
      tasker.task_matches(task, p_states, null, null, p_since, p_until),
      workflow.namespace,
      workflow.name,
      workflow.version,
      task.state,
      task.priority,
      task.created_at,
      task.started_at,
      task.finished_at,
      task.paused_at,
      coalesce(task.tags, '{}'),
      coalesce(task.attributes, '{}'),
      task.correlation_id,
      task.initiator,
      task.source_system,
      task.reason,
      case when p_with_input then task.input end
    from tasker.tasks as task
    join tasker.workflows as workflow on workflow.workflow_id = task.workflow_id
    where task.task_id = any (v_ids)
    order by task.task_id
  loop
    v_last_matches := matches;
    if matches then
      return next;
      -- As text, which is what is sent: a value may be stored in a fortieth of it. Row by row, so that none behind the
      -- page is unpacked.
      v_bytes := v_bytes + octet_length(attributes::text) + coalesce(octet_length(input::text), 0);
    end if;
    exit when v_bytes >= p_max_bytes;
  end loop;
  if not v_last_matches then
    return next;
  end if;
end;
$$;
