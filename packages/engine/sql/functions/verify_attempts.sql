-- tasker.verify_attempts: steps whose results or attempts do not add up. Invariant 2.
--
-- A result is recorded once per step; attempts are at most the limit; attempt
-- numbers have no gap, and each change of a step names the attempt it belongs to.
--
-- Returns    a row per violation
-- Called by  sql/functions/verify.sql

create or replace function tasker.verify_attempts ()
returns table (task_id uuid, step_no smallint, detail text)
language sql
stable
set search_path = ''
as $$
  with numbered as (
    select
      transition.task_id,
      transition.step_no,
      transition.to_state,
      transition.attempt,
      -- What an attempt publishes leaves it in progress.
      count(*) filter (
        where transition.to_state = 'in_progress'
          and transition.from_state <> 'in_progress'
      ) over (
        partition by transition.task_id, transition.step_no
        order by transition.transition_id
      ) as expected
    from tasker.transitions as transition
    where transition.step_no is not null
  ),
  history as (
    select
      numbered.task_id,
      numbered.step_no,
      max(numbered.expected) as attempts,
      count(*) filter (where numbered.to_state in ('complete', 'resolved_manually')) as results
    from numbered
    group by numbered.task_id, numbered.step_no
  )
  select numbered.task_id, numbered.step_no,
    format('attempt %s became %s, where attempt %s was expected', coalesce(numbered.attempt, 0), numbered.to_state, numbered.expected)
  from numbered
  where coalesce(numbered.attempt, 0) <> numbered.expected
  union all
  select history.task_id, history.step_no, format('a result was recorded %s times', history.results)
  from history
  where history.results > 1
  union all
  select step.task_id, step.step_no, format('step has %s attempts, its history has %s', step.attempts, coalesce(history.attempts, 0))
  from tasker.steps as step
  left join history on history.task_id = step.task_id and history.step_no = step.step_no
  where step.attempts <> coalesce(history.attempts, 0)
  union all
  select step.task_id, step.step_no, format('step has %s attempts of at most %s', step.attempts, step.max_attempts)
  from tasker.steps as step
  where step.attempts > step.max_attempts
  union all
  select step.task_id, step.step_no, format('step is %s, and yet has a result', step.state)
  from tasker.steps as step
  where step.result is not null
    and step.state not in ('complete', 'resolved_manually')
$$;
