-- tasker.find_step: a step of a task, by its name.
--
--   p_task_id    the task
--   p_step_name  the step's name
--
-- Returns    the step's number, state, and what its definition says of it
-- Raises     TK031 when the task has no such step
-- Called by  every operator's function about a step

create or replace function tasker.find_step (
  p_task_id         uuid,
  p_step_name       text,
  out step_no       smallint,
  out state         tasker.state,
  out attempts      smallint,
  out skippable     boolean,
  out max_attempts  smallint,
  out route_id      integer,
  out priority      smallint
)
language plpgsql
stable
set search_path = ''
as $$
begin
  select step.step_no, step.state, step.attempts, definition.skippable, definition.max_attempts, definition.route_id,
    coalesce(definition.priority, task.priority)
  into step_no, state, attempts, skippable, max_attempts, route_id, priority
  from tasker.tasks as task
  join tasker.workflow_steps as definition
    on definition.workflow_id = task.workflow_id
    and definition.name = p_step_name
  join tasker.steps as step
    on step.task_id = task.task_id
    and step.step_no = definition.step_no
  where task.task_id = p_task_id;
  if not found then
    raise exception 'task % has no step "%"', p_task_id, p_step_name using errcode = 'TK031';
  end if;
end;
$$;
