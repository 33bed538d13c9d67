create table badge (
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
  visitor text not null,
  account_id uuid references core.account (id)
);
create index badge_newest on badge (workspace, created_at desc, id desc);
create index badge_account on badge (workspace, account_id);
select core.protect('badges.badge');
