-- tasker.find_workflows: the workflow of each request, by its id or by its name.
--
--   p_requests  as for tasker.create_tasks
--
-- Returns    a workflow id per request, in order
-- Raises     TK020 when there is no such workflow or version · TK022 when a request is not an
--            object, has no input, or a priority or on_failed that there is not
-- Called by  sql/functions/create_tasks.sql

create or replace function tasker.find_workflows (p_requests jsonb)
returns integer[]
language plpgsql
stable
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_workflow_ids integer[];
  v_bad          record;
begin
  if jsonb_typeof(p_requests) is distinct from 'array' then
    raise exception 'expected p_requests to be an array, got %', coalesce(jsonb_typeof(p_requests), 'null')
      using errcode = 'TK022';
  end if;

  select given.ordinal, jsonb_typeof(given.value) as type into v_bad
  from jsonb_array_elements(p_requests) with ordinality as given (value, ordinal)
  where jsonb_typeof(given.value) <> 'object'
     or not given.value ? 'input'
  limit 1;
  if found then
    raise exception 'expected request % to be an object with an input, got %', v_bad.ordinal,
      case when v_bad.type = 'object' then 'an object without one' else v_bad.type end
      using errcode = 'TK022';
  end if;

  -- Nobody would ever look for a step of another priority.
  select given.ordinal, field.name, given.value -> field.name as value, field.allowed into v_bad
  from jsonb_array_elements(p_requests) with ordinality as given (value, ordinal)
  cross join (values
    ('priority', '[1, 2, 3, 4, null]'::jsonb),
    ('on_failed', '["return", "create", null]'::jsonb)
  ) as field (name, allowed)
  where not field.allowed @> (given.value -> field.name)
  limit 1;
  if found then
    raise exception 'expected % of request % to be one of %, got %',
      v_bad.name, v_bad.ordinal, v_bad.allowed, v_bad.value
      using errcode = 'TK022';
  end if;

  select array_agg(coalesce(
    (given.value ->> 'workflow_id')::integer,
    (
      select workflow.workflow_id
      from tasker.workflows as workflow
      where workflow.namespace = coalesce(given.value ->> 'namespace', 'default')
        and workflow.name = given.value ->> 'workflow'
        and workflow.superseded_at is null
        and (
          workflow.version = given.value ->> 'version'
          -- The latest is no pre-release, unless there is nothing else.
          or given.value ->> 'version' is null
        )
      order by position('-' in workflow.version) > 0, workflow.version_key desc
      limit 1
    )
  ) order by given.ordinal)
  into v_workflow_ids
  from jsonb_array_elements(p_requests) with ordinality as given (value, ordinal);

  select given.value ->> 'namespace' as namespace, given.value ->> 'workflow' as name, given.value ->> 'version' as version
  into v_bad
  from rows from (jsonb_array_elements(p_requests), unnest(v_workflow_ids)) as given (value, workflow_id)
  left join tasker.workflows as workflow on workflow.workflow_id = given.workflow_id
  where workflow.workflow_id is null
  limit 1;
  if found then
    raise exception 'workflow %.%@% is not registered',
      coalesce(v_bad.namespace, 'default'), coalesce(v_bad.name, '(none)'), coalesce(v_bad.version, 'latest')
      using errcode = 'TK020';
  end if;
  return coalesce(v_workflow_ids, '{}');
end;
$$;
