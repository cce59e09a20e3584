-- tasker.register_workflow: stores one version of a workflow, once.
--
-- Ten processes may register the same version at the same time; they get the same
-- row. A different definition under the same version is refused, or, with
-- p_replace and no live task of it, becomes the version's new row, while tasks
-- that ended stay pinned to the old one.
--
--   p_definition   namespace, name, version, priority, steps with their dependsOn,
--                  queue, priority, maxAttempts and skippable; kept whole
--   p_version_key  text that sorts as the version does
--   p_replace      whether a different definition may take its place
--   p_now          the clock; only tests pass it
--
-- Returns    the workflow's id, and one row per route: its id and queue; and what was done:
--            registered, replaced, or kept when the version stood with the same definition
-- Locks      an advisory lock, so that registrations run one after another
-- Raises     TK010 when the version stands with another definition
--            TK011 when it does and has live tasks, so that even p_replace is refused
-- Called by  src/store/register-workflow.ts

create or replace function tasker.register_workflow (
  p_definition   jsonb,
  p_version_key  text,
  p_replace      boolean default false,
  p_now          timestamptz default now()
)
returns table (workflow_id integer, route_id integer, queue text, change text)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  -- What the tasks are pinned to. A schema library words the same schema otherwise in
  -- another version of itself, and that is no other workflow.
  v_checksum  text := md5((p_definition - 'inputSchema' - 'description' - 'events')::text);
  v_current   tasker.workflows;
  v_id        integer;
  v_change    text;
begin
  perform pg_advisory_xact_lock(hashtext('tasker.register_workflow'));

  select workflow.* into v_current
  from tasker.workflows as workflow
  where workflow.namespace = p_definition ->> 'namespace'
    and workflow.name = p_definition ->> 'name'
    and workflow.version = p_definition ->> 'version'
    and workflow.superseded_at is null;

  if v_current.checksum = v_checksum then
    v_id := v_current.workflow_id;
    v_change := 'kept';
  else
    v_change := case when v_current.workflow_id is null then 'registered' else 'replaced' end;
    if v_current.workflow_id is not null then
      if not p_replace then
        raise exception 'workflow %.%@% is registered with another definition',
          v_current.namespace, v_current.name, v_current.version
          using errcode = 'TK010', detail = v_current.definition::text;
      end if;
      -- Live tasks are few per workflow only by luck, so this may read many rows; it
      -- stops at the first that is live, and only a replacement pays.
      if exists (
        select from tasker.tasks as task
        where task.workflow_id = v_current.workflow_id
          and task.state in ('pending', 'in_progress', 'error')
      ) then
        raise exception 'workflow %.%@% has live tasks and cannot be replaced',
          v_current.namespace, v_current.name, v_current.version
          using errcode = 'TK011';
      end if;
      update tasker.workflows as workflow
      set superseded_at = p_now
      where workflow.workflow_id = v_current.workflow_id;
    end if;

    insert into tasker.workflows
      (namespace, name, version, version_key, priority, definition, checksum, registered_at)
    values
      (p_definition ->> 'namespace', p_definition ->> 'name', p_definition ->> 'version', p_version_key,
       (p_definition ->> 'priority')::smallint, p_definition, v_checksum, p_now)
    returning workflow_id into v_id;

    insert into tasker.queues (name)
    select distinct step ->> 'queue'
    from jsonb_array_elements(p_definition -> 'steps') as step
    on conflict (name) do nothing;

    insert into tasker.routes (workflow_id, queue_id)
    select distinct v_id, queue.queue_id
    from jsonb_array_elements(p_definition -> 'steps') as step
    join tasker.queues as queue on queue.name = step ->> 'queue';

    with step as (
      select (element.ordinality - 1)::smallint as step_no, element.value
      from jsonb_array_elements(p_definition -> 'steps') with ordinality as element
    ),
    edge as (
      select parent.step_no as parent_no, child.step_no as child_no
      from step as child
      cross join jsonb_array_elements_text(child.value -> 'dependsOn') as dependency (name)
      join step as parent on parent.value ->> 'name' = dependency.name
    )
    insert into tasker.workflow_steps
      (workflow_id, route_id, step_no, max_attempts, priority, skippable, name, parents, children)
    select
      v_id,
      route.route_id,
      step.step_no,
      (step.value ->> 'maxAttempts')::smallint,
      (step.value ->> 'priority')::smallint,
      (step.value ->> 'skippable')::boolean,
      step.value ->> 'name',
      coalesce(parents.step_nos, '{}'),
      coalesce(children.step_nos, '{}')
    from step
    -- Grouped once: looked up for each step, 200,000 dependencies took minutes.
    left join (
      select edge.child_no as step_no, array_agg(edge.parent_no order by edge.parent_no) as step_nos
      from edge
      group by edge.child_no
    ) as parents on parents.step_no = step.step_no
    left join (
      select edge.parent_no as step_no, array_agg(edge.child_no order by edge.child_no) as step_nos
      from edge
      group by edge.parent_no
    ) as children on children.step_no = step.step_no
    join tasker.queues as queue on queue.name = step.value ->> 'queue'
    join tasker.routes as route on route.workflow_id = v_id and route.queue_id = queue.queue_id;
  end if;

  return query
  select v_id, route.route_id, queue.name, v_change
  from (select v_id as workflow_id) as self
  left join tasker.routes as route on route.workflow_id = self.workflow_id
  left join tasker.queues as queue on queue.queue_id = route.queue_id;
end;
$$;
