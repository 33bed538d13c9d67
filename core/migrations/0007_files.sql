-- Files on their way in and out: whose rights a job has, where a file lies until it is read, what an import did and how
-- it is taken back, mappings kept for the next file, and what was carried out of the house.

-- An API key may start a job, which then has the key's rights. A paused job waits until somebody lets it go on.
alter table core.job add column actor_type text not null default 'user' check (actor_type in ('user', 'key'));
alter table core.job add column pauses integer not null default 0;
alter table core.job drop constraint job_state_check;
alter table core.job add constraint job_state_check check (state in ('queued', 'running', 'paused', 'done', 'failed', 'cancelled'));
drop index core.job_key;
create unique index job_key on core.job (workspace, kind, key) where key is not null and state in ('queued', 'running', 'paused');

-- A file in pieces, so that whichever process takes up a job finds it and none holds it whole.
create table core.file_piece (
  workspace uuid not null references core.workspace (id) on delete cascade,
  file uuid not null,
  nth integer not null,
  bytes bytea not null,
  at timestamptz not null,
  primary key (workspace, file, nth)
);
create index file_piece_start on core.file_piece (at) where nth = 0;

-- Imports --------------------------------------------------------------------------------------------------------------

alter table core.import add column format text not null default 'csv';
-- The job that works on it; while it does, the job's state is the import's.
alter table core.import add column job uuid references core.job (id) on delete set null;
alter table core.import drop column heartbeat_at;
alter table core.import drop constraint import_state_check;
alter table core.import add constraint import_state_check
  check (state in ('draft', 'mapped', 'rehearsing', 'rehearsed', 'running', 'done', 'failed', 'rolling_back', 'rolled_back'));

-- The rehearsal's lines are kept beside the run's, so that the two can be compared.
alter table core.import_row add column phase text not null default 'run' check (phase in ('rehearsal', 'run'));
alter table core.import_row drop constraint import_row_pkey;
alter table core.import_row add primary key (workspace, import, phase, line);
drop index core.import_row_state;
create index import_row_action on core.import_row (workspace, import, phase, action, line);

-- The change sets a run wrote, each with its own lines: what is to be taken back. A run that failed leaves its own
-- behind; the job tells them from those of the next.
create table core.import_unit (
  workspace uuid not null references core.workspace (id) on delete cascade,
  import uuid not null references core.import (id) on delete cascade,
  change_set uuid not null,
  job uuid,
  primary key (workspace, import, change_set)
);
select core.protect('core.import_unit', 'select, insert, update, delete', 'part', 'import core.import id');

-- What became of each change that was to be taken back. A unit leaves `import_unit` when its changes are here.
create table core.import_reversal (
  workspace uuid not null references core.workspace (id) on delete cascade,
  import uuid not null references core.import (id) on delete cascade,
  change uuid not null,
  resource text not null,
  record uuid not null,
  outcome text not null check (outcome in ('deleted', 'restored', 'kept', 'gone')),
  -- Fields that keep a newer value.
  fields text[] not null default '{}',
  code text,
  detail text,
  primary key (workspace, import, change)
);
create index import_reversal_outcome on core.import_reversal (workspace, import, outcome, change);
select core.protect('core.import_reversal', 'select, insert, update, delete', 'part', 'import core.import id');

-- A mapping for files with the same columns.
create table core.import_recipe (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  owner uuid,
  team uuid,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  deleted_at timestamptz,
  custom jsonb not null default '{}',
  name text not null check (btrim(name) <> ''),
  resource text not null,
  shared boolean not null default false,
  header jsonb not null,
  -- Names of the columns in any order and writing, as a file's are compared with it.
  header_key text not null,
  mapping jsonb not null,
  aliases jsonb not null default '[]',
  key text,
  options jsonb not null default '{}',
  unique (workspace, id)
);
create unique index import_recipe_name on core.import_recipe (workspace, owner, resource, lower(name)) where deleted_at is null;
create index import_recipe_header on core.import_recipe (workspace, resource, header_key) where deleted_at is null;
create index import_recipe_created on core.import_recipe (workspace, created_at, id) where deleted_at is null;
select core.protect('core.import_recipe', 'select, insert, update, delete', 'person', 'owner');

-- Exports --------------------------------------------------------------------------------------------------------------

-- Who carried out what: written through the one write path, so that the ledger has it.
create table core.export (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  owner uuid,
  team uuid,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  deleted_at timestamptz,
  custom jsonb not null default '{}',
  name text not null,
  resource text not null,
  format text not null,
  filter text,
  query jsonb not null,
  columns jsonb not null,
  rows integer,
  size bigint,
  finished_at timestamptz,
  expires_at timestamptz,
  unique (workspace, id)
);
create index export_created on core.export (workspace, created_at, id) where deleted_at is null;
-- The wall asks whose it is for every run of a partner's person.
create index export_owner on core.export (workspace, owner);
select core.protect('core.export', 'select, insert, update, delete', 'person', 'owner');

-- Whose file it is, which job writes it and how far that is. Nobody else sees it.
create table core.export_run (
  workspace uuid not null references core.workspace (id) on delete cascade,
  export uuid not null references core.export (id) on delete cascade,
  actor_type text not null,
  actor_id uuid not null,
  job uuid references core.job (id) on delete set null,
  -- Cursor of the next page; empty before the first and after the last.
  after text,
  pieces integer not null default 0,
  rows integer not null default 0,
  size bigint not null default 0,
  at timestamptz not null,
  primary key (workspace, export)
);
create index export_run_recent on core.export_run (workspace, actor_id, at desc, export desc);
select core.protect('core.export_run', 'select, insert, update, delete', 'person', 'actor_id');

-- Whoever has a file's row has the file.
select core.protect('core.file_piece', 'select, insert, delete', 'where',
  'file = any (array(select i.id from core.import i union all select r.export from core.export_run r))');
