-- tasker.legal_transitions: which state may follow which, for tasks and for steps.
--
-- The same table as src/core/state.ts; a test compares the two.
--
-- Returns    a row per pair; from_state is null for what comes first
-- Called by  sql/functions/verify_transitions.sql

create or replace function tasker.legal_transitions ()
returns table (is_task boolean, from_state tasker.state, to_state tasker.state)
language sql
immutable
set search_path = ''
as $$
  values
    (true, null::tasker.state, 'pending'::tasker.state),
    (true, 'pending', 'in_progress'),
    (true, 'pending', 'cancelled'),
    (true, 'in_progress', 'complete'),
    (true, 'in_progress', 'error'),
    (true, 'in_progress', 'cancelled'),
    (true, 'error', 'in_progress'),
    (true, 'error', 'resolved_manually'),
    (false, 'pending', 'in_progress'),
    (false, 'pending', 'skipped'),
    (false, 'pending', 'cancelled'),
    (false, 'pending', 'resolved_manually'),
    (false, 'in_progress', 'complete'),
    (false, 'in_progress', 'waiting_for_retry'),
    (false, 'in_progress', 'waiting'),
    (false, 'in_progress', 'error'),
    (false, 'in_progress', 'skipped'),
    (false, 'in_progress', 'cancelled'),
    (false, 'waiting_for_retry', 'in_progress'),
    (false, 'waiting_for_retry', 'skipped'),
    (false, 'waiting_for_retry', 'cancelled'),
    (false, 'waiting_for_retry', 'resolved_manually'),
    (false, 'waiting', 'in_progress'),
    (false, 'waiting', 'cancelled'),
    (false, 'error', 'pending'),
    (false, 'error', 'skipped'),
    (false, 'error', 'cancelled'),
    (false, 'error', 'resolved_manually')
$$;
