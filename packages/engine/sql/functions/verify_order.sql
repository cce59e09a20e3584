-- tasker.verify_order: steps that started before their parents were done. Invariant 3.
--
-- Returns    a row per violation
-- Called by  sql/functions/verify.sql

create or replace function tasker.verify_order ()
returns table (task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  with started as (
    select transition.task_id, transition.step_no, min(transition.transition_id) as transition_id
    from tasker.transitions as transition
    where transition.to_state = 'in_progress'
      and transition.step_no is not null
    group by transition.task_id, transition.step_no
  ),
  done as (
    select transition.task_id, transition.step_no, max(transition.transition_id) as transition_id
    from tasker.transitions as transition
    where tasker.is_done(transition.to_state)
      and transition.step_no is not null
    group by transition.task_id, transition.step_no
  )
  select started.task_id, started.step_no, format('step started before step "%s" was done', above.name)
  from started
  join tasker.tasks as task on task.task_id = started.task_id
  join tasker.workflow_steps as definition
    on definition.workflow_id = task.workflow_id
    and definition.step_no = started.step_no
  cross join unnest(definition.parents) as parent (step_no)
  join tasker.workflow_steps as above
    on above.workflow_id = task.workflow_id
    and above.step_no = parent.step_no
  left join done
    on done.task_id = started.task_id
    and done.step_no = parent.step_no
  where done.transition_id is null
     or done.transition_id > started.transition_id
$$;
