-- Creates the definition side: queues, workflows, their steps, and routes.
--
-- Locks      nothing that exists yet
-- Older      workers: none before this one

-- One type for tasks and steps; each table narrows it with a check.
create type tasker.state as enum (
  'pending', 'in_progress', 'waiting', 'waiting_for_retry',
  'complete', 'error', 'skipped', 'cancelled', 'resolved_manually'
);

create table tasker.queues (
  queue_id     integer generated always as identity,
  name         text not null,
  -- How many of its steps may run at once, on all workers together. Null: no limit.
  max_running  integer,
  paused_at    timestamptz,
  paused_by    text,
  pause_reason text,
  constraint queues_pkey primary key (queue_id),
  constraint queues_name_unique unique (name),
  constraint queues_name_check check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint queues_max_running_check check (max_running >= 1)
);

-- Rows never change once written, but for superseded_at: a task is pinned to the
-- row it was created with, so replacing a version makes a new row.
create table tasker.workflows (
  workflow_id   integer generated always as identity,
  namespace     text not null,
  name          text not null,
  version       text not null,
  -- Sorts as semantic versions do.
  version_key   text collate "C" not null,
  -- Of its tasks, unless a task says otherwise: 1 most urgent, 4 least.
  priority      smallint not null,
  definition    jsonb not null,
  checksum      text not null,
  registered_at timestamptz not null,
  superseded_at timestamptz,
  constraint workflows_pkey primary key (workflow_id),
  constraint workflows_namespace_check check (namespace ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint workflows_name_check check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint workflows_version_check check (version <> ''),
  constraint workflows_priority_check check (priority between 1 and 4)
);

create unique index workflows_current_unique
  on tasker.workflows (namespace, name, version)
  where superseded_at is null;

-- A route is where a worker looks: the steps of one workflow in one queue. The
-- claim probes the routes that the worker serves, so other people's backlog
-- costs it nothing.
create table tasker.routes (
  route_id    integer generated always as identity,
  workflow_id integer not null,
  queue_id    integer not null,
  constraint routes_pkey primary key (route_id),
  constraint routes_workflow_queue_unique unique (workflow_id, queue_id),
  constraint routes_workflow_fkey foreign key (workflow_id) references tasker.workflows (workflow_id),
  constraint routes_queue_fkey foreign key (queue_id) references tasker.queues (queue_id)
);

create index routes_queue_idx on tasker.routes (queue_id);

-- What all tasks of a workflow share about a step, stored once instead of in
-- every task: a fan-out of a thousand would repeat a thousand children.
create table tasker.workflow_steps (
  workflow_id  integer not null,
  route_id     integer not null,
  step_no      smallint not null,
  max_attempts smallint not null,
  -- Null: the task's.
  priority     smallint,
  skippable    boolean not null,
  name         text not null,
  parents      smallint[] not null,
  children     smallint[] not null,
  constraint workflow_steps_pkey primary key (workflow_id, step_no),
  constraint workflow_steps_name_unique unique (workflow_id, name),
  constraint workflow_steps_name_check check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint workflow_steps_priority_check check (priority between 1 and 4),
  constraint workflow_steps_max_attempts_check check (max_attempts >= 1),
  constraint workflow_steps_workflow_fkey foreign key (workflow_id) references tasker.workflows (workflow_id),
  constraint workflow_steps_route_fkey foreign key (route_id) references tasker.routes (route_id)
);
