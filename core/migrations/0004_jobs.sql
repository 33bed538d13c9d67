-- Deliveries in the shape their scheduler asks for, and background work.

-- A delivery is named by its place in the queue; a random id would only cost every event one more index entry.
alter table core.delivery drop constraint delivery_pkey;
alter table core.delivery drop column id;
alter table core.delivery add primary key (seq);

-- One index answers both "which subscriber of which workspace has something to do" (by skipping from pair to pair) and
-- "what is its oldest due delivery".
drop index core.delivery_due;
create index delivery_due on core.delivery (state, subscription, workspace, due_at, seq);

-- The outbox is filled and emptied all the time: dead rows must not pile up in front of the oldest delivery.
alter table core.delivery set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- Background work as the people who started it see it. pg-boss decides when and where it runs.
create table core.job (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  plugin text not null,
  kind text not null,
  -- At most one unfinished job per kind and key.
  key text,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  payload jsonb not null default '{}',
  progress integer not null default 0,
  total integer,
  result jsonb,
  error jsonb,
  attempts integer not null default 0,
  -- User who started it; empty for a schedule's.
  actor uuid,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  heartbeat_at timestamptz,
  -- When pg-boss was told; empty while nobody has.
  handed_at timestamptz
);
create unique index job_key on core.job (workspace, kind, key) where key is not null and state in ('queued', 'running');
create index job_recent on core.job (workspace, created_at desc, id desc);
create index job_unhanded on core.job (created_at) where state = 'queued' and handed_at is null;
select core.protect('core.job');

-- When a plugin's scheduled job is due next in a workspace; whoever moves the instant on has the tick.
create table core.schedule (
  workspace uuid not null references core.workspace (id) on delete cascade,
  job text not null,
  next_at timestamptz not null,
  primary key (workspace, job)
);
select core.protect('core.schedule', 'select');

-- Deliveries and jobs are found across workspaces by the tables' owner, whom forced row level security would blind
-- where it is not a superuser. The application's role stays behind the wall: it owns nothing.
alter table core.delivery no force row level security;
alter table core.job no force row level security;
alter table core.schedule no force row level security;
alter table core.plugin_workspace no force row level security;
alter table core.workspace no force row level security;
