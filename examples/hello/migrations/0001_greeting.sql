create table greeting (
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
  text text not null
);
create index greeting_newest on greeting (workspace, created_at desc, id desc);
select core.protect('hello.greeting');
