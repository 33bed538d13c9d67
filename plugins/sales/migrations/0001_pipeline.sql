-- Pipelines, their stages, and the opportunities that walk through them.

create table pipeline (
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
  position integer not null default 1,
  reason_required boolean not null default true,
  unique (workspace, id)
);
create unique index pipeline_name on pipeline (workspace, lower(name)) where deleted_at is null;
select core.protect('sales.pipeline');

create table stage (
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
  pipeline_id uuid not null,
  name text not null,
  position integer not null,
  probability numeric(5, 2) not null check (probability between 0 and 100),
  kind text not null default 'open' check (kind in ('open', 'won', 'lost')),
  category text not null default 'pipeline' check (category in ('omitted', 'pipeline', 'best_case', 'commit', 'closed')),
  rot_days integer check (rot_days > 0),
  check ((kind <> 'won' or probability = 100) and (kind <> 'lost' or probability = 0)),
  unique (workspace, pipeline_id, id),
  foreign key (workspace, pipeline_id) references pipeline (workspace, id)
);
create unique index stage_name on stage (workspace, pipeline_id, lower(name)) where deleted_at is null;
create unique index stage_closing on stage (workspace, pipeline_id, kind) where kind <> 'open' and deleted_at is null;
create index stage_position on stage (workspace, pipeline_id, position, id);
select core.protect('sales.stage');

create table reason (
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
  kind text not null check (kind in ('won', 'lost')),
  label text not null,
  note_required boolean not null default false,
  unique (workspace, id)
);
create unique index reason_label on reason (workspace, kind, lower(label)) where deleted_at is null;
select core.protect('sales.reason');

create table opportunity (
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
  code text,
  name text not null,
  account_id uuid references core.account (id),
  contact_id uuid references core.contact (id),
  product_id uuid references core.product (id),
  pipeline_id uuid not null,
  stage_id uuid not null,
  status text not null default 'open' check (status in ('open', 'won', 'lost')),
  amount numeric(19, 4),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  probability numeric(5, 2) not null check (probability between 0 and 100),
  probability_mode text not null default 'stage' check (probability_mode in ('stage', 'manual')),
  weighted numeric(19, 4) generated always as (round(amount * probability / 100, 4)) stored,
  opened_on date,
  close_date date,
  closed_on date,
  stage_entered_at timestamptz not null,
  next_step text,
  next_step_on date,
  reason_id uuid,
  reason_note text,
  source_channel text not null default 'direct' check (source_channel in ('direct', 'partner', 'web', 'import', 'api')),
  unique (workspace, id),
  check ((status = 'open') = (closed_on is null)),
  check (status <> 'won' or account_id is not null),
  foreign key (workspace, pipeline_id, stage_id) references stage (workspace, pipeline_id, id),
  foreign key (workspace, reason_id) references reason (workspace, id)
);
create unique index opportunity_code on opportunity (workspace, code) where deleted_at is null;
create index opportunity_newest on opportunity (workspace, created_at desc, id desc);
create index opportunity_name on opportunity (workspace, name collate "und-x-icu", id);
create index opportunity_board on opportunity (workspace, pipeline_id, stage_id, close_date, id) where deleted_at is null;
create index opportunity_amount on opportunity (workspace, amount, id);
create index opportunity_closing on opportunity (workspace, close_date, id);
create index opportunity_account on opportunity (workspace, account_id);
create index opportunity_contact on opportunity (workspace, contact_id);
create index opportunity_owner on opportunity (workspace, owner, created_at desc, id desc);
create index opportunity_team on opportunity (workspace, team, created_at desc, id desc);
select core.protect('sales.opportunity');

-- One row per stay in a stage: who came when, and when it went on.
create table stage_visit (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  opportunity_id uuid not null,
  stage_id uuid not null,
  -- The stage's name then; stages are renamed later.
  stage_name text not null,
  direction text not null check (direction in ('entered', 'forward', 'backward')),
  skipped integer not null default 0,
  entered_at timestamptz not null,
  left_at timestamptz,
  actor_name text not null,
  check (left_at is null or left_at >= entered_at),
  -- The guard writes the first visit before the opportunity's own row.
  foreign key (workspace, opportunity_id) references opportunity (workspace, id) on delete cascade deferrable initially deferred,
  exclude using gist (workspace with =, opportunity_id with =, tstzrange(entered_at, left_at, '[)') with &&)
);
create unique index stage_visit_open on stage_visit (workspace, opportunity_id) where left_at is null;
create index stage_visit_order on stage_visit (workspace, opportunity_id, entered_at);
select core.protect('sales.stage_visit');
