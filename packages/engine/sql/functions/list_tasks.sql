-- tasker.list_tasks: a page of tasks, the newest first.
--
-- Three ways to read, each along an index from the newest backwards, so that a page
-- costs what a page holds: by state, from the queue and from the history of ends
-- (an index on a task's state would cost every task created more than all pages
-- save); by workflow; and all.
--
--   p_namespace, p_workflow, p_version, p_states, p_tags, p_attributes   filters, null for none
--   p_since, p_until   created then or later, and before
--   p_before           only tasks before this one: the last of the page before
--   p_limit            how many at most
--
-- Returns    the ids, newest first
-- Called by  src/store/list-tasks.ts

create or replace function tasker.list_tasks (
  p_namespace   text,
  p_workflow    text,
  p_version     text,
  p_states      tasker.state[],
  p_tags        text[],
  p_attributes  jsonb,
  p_since       timestamptz,
  p_until       timestamptz,
  p_before      uuid,
  p_limit       integer
)
returns table (task_id uuid)
language plpgsql
stable
set search_path = ''
-- The filters decide which index is right, so no plan fits all of them.
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
  v_live      tasker.state[] := '{pending, in_progress}';
  v_ended     tasker.state[] := '{error, cancelled, resolved_manually}';
  v_workflows integer[] := case
    when coalesce(p_namespace, p_workflow, p_version) is not null
      then tasker.find_workflow_ids(p_namespace, p_workflow, p_version)
  end;
  -- Keys are made by the clock, created_at is when the transaction began: a day
  -- apart at most, unless a transaction stays open for longer.
  v_from uuid := coalesce(tasker.uuid_v7_at(p_since - interval '1 day'), '00000000-0000-0000-0000-000000000000');
  v_to   uuid := least(
    p_before,
    coalesce(tasker.uuid_v7_at(p_until + interval '1 day'), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  );
begin
  if p_states <@ (v_live || v_ended) then
    return query
    select found.task_id
    from (
      (
        select task.task_id
        from (
          select distinct queued.task_id
          from tasker.step_queue as queued
          where p_states && v_live
            and queued.task_id >= v_from
            and queued.task_id < v_to
        ) as live
        join tasker.tasks as task on task.task_id = live.task_id
        where tasker.task_matches(task, p_states, p_tags, p_attributes, p_since, p_until)
          and (v_workflows is null or task.workflow_id = any (v_workflows))
        order by task.task_id desc
        limit p_limit
      )
      union
      (
        select task.task_id
        from (
          select distinct rare.task_id
          from tasker.transitions as rare
          where (
              rare.to_state = 'waiting'
              or (rare.step_no is null and rare.to_state in ('error', 'cancelled', 'resolved_manually'))
            )
            and (rare.to_state = any (p_states) or rare.to_state = 'waiting' and p_states && v_live)
            and rare.task_id >= v_from
            and rare.task_id < v_to
        ) as ended
        join tasker.tasks as task on task.task_id = ended.task_id
        where tasker.task_matches(task, p_states, p_tags, p_attributes, p_since, p_until)
          and (v_workflows is null or task.workflow_id = any (v_workflows))
        order by task.task_id desc
        limit p_limit
      )
    ) as found
    order by found.task_id desc
    limit p_limit;
  elsif v_workflows is not null then
    return query
    select newest.task_id
    from unnest(v_workflows) as workflow (workflow_id)
    cross join lateral (
      select task.task_id
      from tasker.tasks as task
      -- As pairs, so that only the index on both is in the right order: a workflow with
      -- few tasks would else be looked for among all, from the newest on.
      where (task.workflow_id, task.task_id) >= (workflow.workflow_id, v_from)
        and (task.workflow_id, task.task_id) < (workflow.workflow_id, v_to)
        and tasker.task_matches(task, p_states, p_tags, p_attributes, p_since, p_until)
      order by task.workflow_id desc, task.task_id desc
      limit p_limit
    ) as newest
    order by newest.task_id desc
    limit p_limit;
  else
    return query
    select task.task_id
    from tasker.tasks as task
    where task.task_id >= v_from
      and task.task_id < v_to
      and tasker.task_matches(task, p_states, p_tags, p_attributes, p_since, p_until)
    order by task.task_id desc
    limit p_limit;
  end if;
end;
$$;
