-- Creates the run side: tasks, steps, the queue, history, and workers.
--
-- No foreign keys here: each would take a share lock on the definition's row for
-- every task created. Rows of one task lead with task_id and so can share a
-- partition or a shard.
--
-- Locks      nothing that exists yet
-- Older      workers: none before this one

create table tasker.tasks (
  task_id        uuid not null,
  created_at     timestamptz not null,
  started_at     timestamptz,
  finished_at    timestamptz,
  paused_at      timestamptz,
  workflow_id    integer not null,
  -- Steps that are not done: neither complete, skipped, resolved nor cancelled.
  open_steps     integer not null,
  -- Steps that are ready, running, delayed or waiting: those that can still move.
  active_steps   integer not null,
  state          tasker.state not null,
  priority       smallint not null,
  input          jsonb not null,
  tags           text[],
  attributes     jsonb,
  identity_key   text,
  correlation_id text,
  initiator      text,
  source_system  text,
  reason         text,
  -- The creator's span, as a W3C traceparent.
  trace_context  text,
  constraint tasks_pkey primary key (task_id),
  -- One short check a table that is hot: the server parses each anew for every statement
  -- that writes the table, which was a seventh of an idle advance. States before complete
  -- are those that a task has not ended in.
  constraint tasks_consistent_check check (
    active_steps >= 0 and open_steps >= active_steps and (finished_at is null) = (state < 'complete')
  )
) with (fillfactor = 30);

create unique index tasks_identity_unique on tasker.tasks (identity_key) where identity_key is not null;

-- For lists. None of them mentions a column that changes, so that updates stay HOT.
create index tasks_workflow_idx on tasker.tasks (workflow_id, task_id);
create index tasks_tags_idx on tasker.tasks using gin (tags) where tags is not null;
create index tasks_attributes_idx on tasker.tasks using gin (attributes jsonb_path_ops) where attributes is not null;

create table tasker.steps (
  task_id      uuid not null,
  started_at   timestamptz,
  finished_at  timestamptz,
  state        tasker.state not null,
  step_no      smallint not null,
  -- Parents that are not done.
  waiting_on   smallint not null,
  attempts     smallint not null,
  -- The workflow's, more once an operator retried the step.
  max_attempts smallint not null,
  result       jsonb,
  error        jsonb,
  constraint steps_pkey primary key (task_id, step_no),
  constraint steps_consistent_check check (waiting_on >= 0 and attempts between 0 and max_attempts)
) with (fillfactor = 33);

-- The only hot table, and narrow. A row per step that is ready, delayed or
-- running. A step is in progress if and only if its row here has a worker.
create table tasker.step_queue (
  task_id   uuid not null,
  run_at    timestamptz not null,
  route_id  integer not null,
  worker_id integer,
  step_no   smallint not null,
  attempt   smallint not null,
  priority  smallint not null,
  -- Its task is paused.
  held      boolean not null,
  -- Its queue has a limit, so running rows are counted.
  limited   boolean not null,
  constraint step_queue_pkey primary key (task_id, step_no)
) with (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

-- One probe per route and priority finds the oldest that is due; rows that are
-- delayed lie behind it and are never read.
create index step_queue_ready_idx
  on tasker.step_queue (route_id, priority, run_at)
  where worker_id is null and not held;

create index step_queue_limited_idx
  on tasker.step_queue (route_id)
  where limited and worker_id is not null;

-- Append-only: history, timeline and audit.
create table tasker.transitions (
  -- Orders the rows of one task. Gaps mean nothing.
  transition_id bigint generated always as identity,
  at            timestamptz not null,
  task_id       uuid not null,
  worker_id     integer,
  from_state    tasker.state,
  to_state      tasker.state not null,
  -- Null: the task itself.
  step_no       smallint,
  attempt       smallint,
  -- Why, in one word of the engine's: worker_lost, handed_back, retried, bypassed, paused, resumed …
  cause         text,
  -- Who and why, in an operator's words.
  actor         text,
  reason        text,
  error         jsonb,
  -- Pausing, and cutting a wait short, change no state, but are history.
  constraint transitions_change_check check (
    from_state is distinct from to_state or cause in ('paused', 'resumed', 'hastened')
  )
);

create index transitions_task_idx on tasker.transitions (task_id);

-- Finds the tasks that failed, were cancelled or were resolved, and those that may
-- be waiting. An index on the state of tasks would make every update of one write
-- to all of its indexes; rows here are never updated, and few are in it.
create index transitions_rare_idx on tasker.transitions (to_state, task_id)
  where to_state = 'waiting' or (step_no is null and to_state in ('error', 'cancelled', 'resolved_manually'));

-- Finds what happened in a period, at the cost of a few bytes per megabyte.
create index transitions_at_idx on tasker.transitions using brin (at) with (autosummarize = on);

create table tasker.workers (
  worker_id    integer generated always as identity,
  name         text not null,
  host         text not null,
  pid          integer not null,
  concurrency  integer not null,
  lease        interval not null,
  routes       integer[] not null,
  started_at   timestamptz not null,
  heartbeat_at timestamptz not null,
  stopped_at   timestamptz,
  lost_at      timestamptz,
  constraint workers_pkey primary key (worker_id),
  constraint workers_lease_check check (lease > interval '0')
) with (fillfactor = 50);

create index workers_live_idx on tasker.workers (worker_id) where stopped_at is null and lost_at is null;
