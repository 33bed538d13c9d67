-- Files on their way to becoming records: what was found in a file, what it is to become, and what each line became.

create table core.import (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  state text not null default 'draft' check (state in ('draft', 'mapped', 'rehearsing', 'rehearsed', 'running', 'done', 'failed')),
  file_name text not null,
  file_size bigint not null,
  encoding text not null,
  delimiter text not null,
  -- Lines of the file before its header.
  skipped_lines integer not null default 0,
  lines integer not null,
  -- One profile per column: samples, distinct values with their counts, how numbers and dates are written.
  columns jsonb not null,
  mapping jsonb not null default '[]',
  aliases jsonb not null default '[]',
  key text,
  options jsonb not null default '{}',
  -- Who uploaded it: an import is theirs alone, and runs with their rights.
  actor_type text not null,
  actor_id uuid not null,
  -- Digest over what every line comes to, of the rehearsal and of the run: equal when the run did what was rehearsed.
  rehearsed_digest text,
  applied_digest text,
  problem jsonb,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  heartbeat_at timestamptz
);
create index import_recent on core.import (workspace, actor_id, created_at desc, id desc);
select core.protect('core.import', 'select, insert, update, delete', 'person', 'actor_id');

-- What became of a line; with the rehearsal what would become of it. Written in the transaction of the line's own write.
create table core.import_row (
  workspace uuid not null references core.workspace (id) on delete cascade,
  import uuid not null references core.import (id) on delete cascade,
  line integer not null,
  -- `waiting`: it refers to another line that is not a record yet.
  state text not null check (state in ('waiting', 'done', 'failed')),
  action text not null check (action in ('create', 'update', 'unchanged', 'skip', 'failed', 'waiting')),
  record uuid,
  change_set uuid,
  -- The line as it stands in the file, where it is needed again: waiting, refused, or referred to by other lines.
  cells jsonb,
  -- { values } or { changes } of the first lines, { problems } of refused ones.
  outcome jsonb,
  digest text,
  primary key (workspace, import, line)
);
create index import_row_state on core.import_row (workspace, import, state, line);
select core.protect('core.import_row', 'select, insert, update, delete', 'part', 'import core.import id');

-- Values that may stand in a file once, or by which other lines find one, with the first line that has each.
create table core.import_key (
  workspace uuid not null references core.workspace (id) on delete cascade,
  import uuid not null references core.import (id) on delete cascade,
  field text not null,
  value text not null,
  line integer not null,
  primary key (workspace, import, field, value)
);
select core.protect('core.import_key', 'select, insert, update, delete', 'part', 'import core.import id');
