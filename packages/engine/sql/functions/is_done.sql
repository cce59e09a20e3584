-- tasker.is_done: whether dependents of a step in this state may run.
--
-- No search_path here, so that the planner can inline it; every name is qualified.
--
--   p_state  a step's state
--
-- Returns    true for complete, skipped and resolved_manually
-- Called by  sql/functions/{step_readiness,task_execution_contexts,verify_*}.sql

create or replace function tasker.is_done (p_state tasker.state)
returns boolean
language sql
immutable
parallel safe
as $$
  select p_state in ('complete', 'skipped', 'resolved_manually')
$$;
