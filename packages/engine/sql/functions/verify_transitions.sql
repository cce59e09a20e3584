-- tasker.verify_transitions: histories that are no legal path to the state they should end in. Invariant 6.
--
-- Pausing, resuming and publishing are history, but change no state.
--
-- Returns    a row per violation
-- Called by  sql/functions/verify.sql

create or replace function tasker.verify_transitions ()
returns table (task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  with path as (
    select
      transition.*,
      transition.step_no is null as is_task,
      -- A step is born with its task, without a transition of its own.
      lag(transition.to_state, 1, case when transition.step_no is not null then 'pending'::tasker.state end)
        over thing as previous,
      row_number() over (partition by transition.task_id, transition.step_no order by transition.transition_id desc) as from_last
    from tasker.transitions as transition
    window thing as (partition by transition.task_id, transition.step_no order by transition.transition_id)
  ),
  thing as (
    select task.task_id, null::smallint as step_no, task.state, null::tasker.state as born from tasker.tasks as task
    union all
    select step.task_id, step.step_no, step.state, 'pending' from tasker.steps as step
  )
  select path.task_id, path.step_no, format('a transition starts from %s, the one before ended in %s', path.from_state, path.previous)
  from path
  where path.from_state is distinct from path.previous
  union all
  select path.task_id, path.step_no, format('no transition leads from %s to %s', path.from_state, path.to_state)
  from path
  left join tasker.legal_transitions() as legal
    on legal.is_task = path.is_task
    and legal.from_state is not distinct from path.from_state
    and legal.to_state = path.to_state
  where legal.to_state is null
    and not (path.from_state = path.to_state and path.cause in ('paused', 'resumed', 'hastened', 'published'))
  union all
  select
    coalesce(thing.task_id, last.task_id),
    coalesce(thing.step_no, last.step_no),
    format('state is %s, the history ends in %s', coalesce(thing.state::text, 'missing'), coalesce(last.to_state::text, 'nothing'))
  from thing
  full join (select path.* from path where path.from_last = 1) as last
    on last.task_id = thing.task_id
    and coalesce(last.step_no, -1) = coalesce(thing.step_no, -1)
  where thing.state is distinct from coalesce(last.to_state, thing.born)
$$;
