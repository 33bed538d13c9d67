-- That somebody with the right to it looked at the workspace as another person, why, and until when.
create table core.viewing (
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
  user_id uuid not null,
  reason text not null,
  until timestamptz not null,
  ended_at timestamptz,
  ended_by text check (ended_by in ('self', 'time', 'right', 'gone')),
  check ((ended_at is null) = (ended_by is null)),
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade
);
create index viewing_recent on core.viewing (workspace, created_at desc, id desc);
create index viewing_open on core.viewing (workspace, until) where ended_at is null;
select core.protect('core.viewing');
