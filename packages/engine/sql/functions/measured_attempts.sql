-- tasker.measured_attempts: attempts that ended in a period, with what each waited for and how long it ran.
--
-- Everything is worked out from the history of the tasks that tasker.sampled_tasks picks.
--
--   p_since, p_until  ended then or later, and before
--   p_namespace, p_workflow, p_version  filters, null for none
--   p_max_rows        as for tasker.sampled_tasks
--
-- Returns    a row per attempt
--   outcome   what the step became
--   queue_ms  from when the step was ready until the attempt was claimed: a first attempt is ready
--             when its task was created and its parents are done; one after an operator's retry, at
--             that retry; one after an attempt that a stopping worker handed back, at that. Pauses,
--             limits and delayed starts count. Null for an attempt after a failed one
--   retry_ms  from the end of the failed attempt before it until it was claimed, else null
--   run_ms    from when it was claimed until its end; of a lost worker's, until it was taken back
--   held_by   the parent that was done last, of a first attempt; null when it has none
--   held_ms   how long that parent alone kept it waiting: since it was ready itself and the
--             other parents were done
-- Called by  sql/functions/{step_timings,attempt_analysis}.sql

create or replace function tasker.measured_attempts (
  p_since      timestamptz,
  p_until      timestamptz,
  p_namespace  text,
  p_workflow   text,
  p_version    text,
  p_max_rows   integer
)
returns table (
  task_id     uuid,
  workflow_id integer,
  step_no     smallint,
  attempt     smallint,
  outcome     tasker.state,
  queue_ms    double precision,
  retry_ms    double precision,
  run_ms      double precision,
  held_by     smallint,
  held_ms     double precision
)
language sql
stable
as $$
  -- Steps have keys of one column here. By two, the planner joins each step of a task with all of
  -- its others: the square of 10,000.
  with sampled as materialized (
    select each.*, (row_number() over ()) * 32768 as task_key
    from tasker.sampled_tasks(p_since, p_until, p_namespace, p_workflow, p_version, p_max_rows) as each
  ),
  change as materialized (
    select
      sampled.task_key + transition.step_no as step_key,
      sampled.task_key,
      sampled.task_id,
      sampled.workflow_id,
      sampled.created_at,
      transition.step_no,
      transition.attempt,
      transition.from_state,
      transition.to_state,
      transition.at,
      -- Of a row that ends an attempt: when it began, and what came before.
      lag(transition.at) over history as began_at,
      lag(transition.at, 2) over history as before_at,
      lag(
        transition.to_state = 'waiting_for_retry' and transition.cause is distinct from 'handed_back', 2, false
      ) over history as is_retry
    from sampled
    join tasker.transitions as transition on transition.task_id = sampled.task_id
    where transition.step_no is not null
      and transition.from_state is distinct from transition.to_state
    window history as (partition by sampled.task_key + transition.step_no order by transition.transition_id)
  ),
  ready as materialized (
    select
      parent.task_key + below.step_no as step_key,
      max(parent.at) as ready_at,
      (array_agg(parent.step_no order by parent.at desc, parent.step_no))[1] as held_by,
      (array_agg(parent.step_key order by parent.at desc, parent.step_no))[1] as holder_key,
      (array_agg(parent.at order by parent.at desc, parent.step_no))[2] as others_at
    from change as parent
    join tasker.workflow_steps as definition
      on definition.workflow_id = parent.workflow_id
      and definition.step_no = parent.step_no
    cross join unnest(definition.children) as below (step_no)
    where tasker.is_done(parent.to_state)
    group by parent.task_key + below.step_no
  )
  select
    ended.task_id,
    ended.workflow_id,
    ended.step_no,
    ended.attempt,
    ended.to_state,
    case when not ended.is_retry then
      extract(epoch from ended.began_at - coalesce(ended.before_at, ready.ready_at, ended.created_at))::double precision * 1000
    end,
    case when ended.is_retry then
      extract(epoch from ended.began_at - ended.before_at)::double precision * 1000
    end,
    extract(epoch from ended.at - ended.began_at)::double precision * 1000,
    case when ended.before_at is null then ready.held_by end,
    case when ended.before_at is null then
      extract(epoch from ready.ready_at - greatest(ready.others_at, holder.ready_at, ended.created_at))::double precision * 1000
    end
  from change as ended
  left join ready on ready.step_key = ended.step_key
  left join ready as holder on holder.step_key = ready.holder_key
  where ended.from_state = 'in_progress'
    and ended.at >= p_since
    and ended.at < p_until
$$;
