-- tasker.task_execution_contexts: of some tasks, how far each is, and what to do about it.
--
-- Counts what tasker.step_readiness says of each step; has no rules of its own
-- about steps. No search_path here, so that the planner can inline it; every
-- name is qualified.
--
--   p_task_ids  the tasks
--   p_now       the clock; only tests pass it
--
-- Returns a row per task that exists. The first execution_status that holds:
--   all_complete              it has ended: complete, cancelled, or resolved     none
--   paused                    somebody has to resume it, or its queues           resume
--   has_ready_steps           a worker may claim steps                           execute_ready_steps
--   processing                steps run                                          wait_for_completion
--   waiting_for_retry         the next attempt is due later                      wait_for_retry
--   waiting                   steps are delayed, or wait for something outside   wait
--   blocked_by_failures       nothing can go on, and steps failed for good       handle_failures
--   waiting_for_dependencies  nothing can go on, and nothing failed: a defect    wait_for_dependencies
-- with its recommended_action; and health_status:
--   healthy      no step of it failed, or it has ended
--   recovering   steps failed, and others can go on, or will be tried again
--   blocked      steps failed for good, and nothing can go on
--
-- Called by  src/store/task-execution-contexts.ts

create or replace function tasker.task_execution_contexts (
  p_task_ids  uuid[],
  p_now       timestamptz default now()
)
returns table (
  task_id                 uuid,
  state                   tasker.state,
  total_steps             integer,
  pending_steps           integer,
  in_progress_steps       integer,
  waiting_steps           integer,
  waiting_for_retry_steps integer,
  complete_steps          integer,
  error_steps             integer,
  skipped_steps           integer,
  cancelled_steps         integer,
  resolved_steps          integer,
  ready_steps             integer,
  execution_status        text,
  recommended_action      text,
  health_status           text,
  completion_percentage   double precision
)
language sql
stable
as $$
  -- Materialized, or what a step waits for would be worked out once for each count.
  with readiness as materialized (
    select step.task_id, step.step_no, step.state, step.blocked_by
    from tasker.step_readiness(p_task_ids, p_now) as step
  )
  select
    judged.task_id,
    judged.state,
    judged.total,
    judged.pending,
    judged.in_progress,
    judged.waiting,
    judged.waiting_for_retry,
    judged.complete,
    judged.error,
    judged.skipped,
    judged.cancelled,
    judged.resolved,
    judged.ready,
    judged.status,
    case judged.status
      when 'all_complete' then 'none'
      when 'paused' then 'resume'
      when 'has_ready_steps' then 'execute_ready_steps'
      when 'processing' then 'wait_for_completion'
      when 'waiting_for_retry' then 'wait_for_retry'
      when 'waiting' then 'wait'
      when 'blocked_by_failures' then 'handle_failures'
      else 'wait_for_dependencies'
    end,
    case
      when judged.status = 'all_complete' or judged.error + judged.waiting_for_retry = 0 then 'healthy'
      when judged.active > 0 then 'recovering'
      else 'blocked'
    end,
    -- A workflow without steps is done from the start.
    case when judged.total = 0 then 100 else round(100.0 * judged.done / judged.total, 2) end::double precision
  from (
    select
      counted.*,
      case
        when counted.state in ('complete', 'cancelled', 'resolved_manually') then 'all_complete'
        when counted.paused_at is not null then 'paused'
        when counted.ready > 0 then 'has_ready_steps'
        when counted.in_progress > 0 then 'processing'
        when counted.retried_later > 0 then 'waiting_for_retry'
        when counted.waiting + counted.delayed > 0 then 'waiting'
        when counted.queue_paused > 0 then 'paused'
        when counted.error > 0 then 'blocked_by_failures'
        else 'waiting_for_dependencies'
      end as status
    from (
      select
        task.task_id,
        task.state,
        task.paused_at,
        count(step.step_no)::integer as total,
        (count(*) filter (where step.state = 'pending'))::integer as pending,
        (count(*) filter (where step.state = 'in_progress'))::integer as in_progress,
        (count(*) filter (where step.state = 'waiting'))::integer as waiting,
        (count(*) filter (where step.state = 'waiting_for_retry'))::integer as waiting_for_retry,
        (count(*) filter (where step.state = 'complete'))::integer as complete,
        (count(*) filter (where step.state = 'error'))::integer as error,
        (count(*) filter (where step.state = 'skipped'))::integer as skipped,
        (count(*) filter (where step.state = 'cancelled'))::integer as cancelled,
        (count(*) filter (where step.state = 'resolved_manually'))::integer as resolved,
        (count(*) filter (where tasker.is_done(step.state)))::integer as done,
        (count(*) filter (where step.blocked_by in ('ready', 'queue_limit', 'no_worker')))::integer as ready,
        (count(*) filter (where step.blocked_by = 'retry'))::integer as retried_later,
        (count(*) filter (where step.blocked_by = 'delayed'))::integer as delayed,
        (count(*) filter (where step.blocked_by = 'queue_paused'))::integer as queue_paused,
        -- Can go on without somebody who deals with the failures first.
        (count(*) filter (where step.state = 'in_progress' or step.blocked_by not in ('parents', 'operator')))::integer as active
      from tasker.tasks as task
      left join readiness as step on step.task_id = task.task_id
      where task.task_id = any (p_task_ids)
      group by task.task_id
    ) as counted
  ) as judged
$$;
