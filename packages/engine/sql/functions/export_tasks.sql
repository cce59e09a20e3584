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
--   p_max_bytes        how much of inputs and attributes to return about, as it is stored; one task at least
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
  v_ids uuid[] := tasker.next_task_ids(
    case
      when coalesce(p_namespace, p_workflow, p_version) is not null
        then tasker.find_workflow_ids(p_namespace, p_workflow, p_version)
    end,
    p_after, p_end, p_limit
  );
begin
  return query
  select
    page.task_id,
    page.matches,
    workflow.namespace,
    workflow.name,
    workflow.version,
    page.state,
    page.priority,
    page.created_at,
    page.started_at,
    page.finished_at,
    page.paused_at,
    coalesce(page.tags, '{}'),
    coalesce(page.attributes, '{}'),
    page.correlation_id,
    page.initiator,
    page.source_system,
    page.reason,
    case when p_with_input then page.input end
  from (
    select sized.*, lead(sized.task_id) over (order by sized.task_id) is null as is_last
    from (
      select read.*, sum(read.bytes) over (order by read.task_id) - read.bytes as bytes_before
      from (
        select
          judged.*,
          case
            when judged.matches
              then coalesce(pg_column_size(judged.attributes), 0)
                + case when p_with_input then pg_column_size(judged.input) else 0 end
            else 0
          end as bytes
        from (
          select task.*, tasker.task_matches(task, p_states, null, null, p_since, p_until) as matches
          from tasker.tasks as task
          where task.task_id = any (v_ids)
        ) as judged
      ) as read
    ) as sized
    where sized.bytes_before < p_max_bytes
  ) as page
  join tasker.workflows as workflow on workflow.workflow_id = page.workflow_id
  where page.matches
    or page.is_last
  order by page.task_id;
end;
$$;
