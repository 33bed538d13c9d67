-- What sign-in keeps, and the rights of people as records: each with its version, its line in the ledger and its way back.

-- The installation's own secrets, such as the one session cookies are signed with. No right of the application's role.
create table core.secret (
  name text primary key,
  value text not null,
  created_at timestamptz not null default now()
);

-- Failed attempts by whom and from where; the next one has to wait until `blocked_until`.
create table core.sign_in_failure (
  key text primary key,
  failures integer not null,
  last_at timestamptz not null,
  blocked_until timestamptz not null
);
create index sign_in_failure_age on core.sign_in_failure (last_at);

alter table core.member
  add column last_seen_at timestamptz,
  add column password_set_at timestamptz,
  -- How screens look to this person: { theme, density }.
  add column preferences jsonb not null default '{}';
alter table core.role add column description text;

-- References carry the workspace: foreign keys are checked past row level security.
alter table core.role add unique (workspace, id);
alter table core.team add unique (workspace, id);
alter table core.team drop constraint team_parent_id_fkey, add foreign key (workspace, parent_id) references core.team (workspace, id);
alter table core.member drop constraint member_team_fkey, add foreign key (workspace, team) references core.team (workspace, id);
alter table core.member add foreign key (workspace, manager_id) references core.member (workspace, id);

-- Memberships, assignments and keys become records. Nothing was kept in the tables of the first draft.
drop table core.team_member;
create table core.team_member (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  owner uuid,
  team uuid not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  deleted_at timestamptz,
  custom jsonb not null default '{}',
  user_id uuid not null,
  from_date date not null,
  -- First day on which it no longer holds; null while nobody knows one.
  to_date date check (to_date > from_date),
  foreign key (workspace, team) references core.team (workspace, id) on delete cascade,
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade,
  exclude using gist (workspace with =, team with =, user_id with =, daterange(from_date, to_date, '[)') with &&) where (deleted_at is null)
);
create index team_member_user on core.team_member (workspace, user_id);
create index team_member_team on core.team_member (workspace, team);
select core.protect('core.team_member');

drop table core.role_assignment;
create table core.role_assignment (
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
  role_id uuid not null,
  user_id uuid not null,
  until timestamptz,
  foreign key (workspace, role_id) references core.role (workspace, id) on delete cascade,
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade
);
create unique index role_assignment_once on core.role_assignment (workspace, user_id, role_id) where deleted_at is null;
create index role_assignment_role on core.role_assignment (workspace, role_id);
select core.protect('core.role_assignment');

drop table core.api_key;
create table core.api_key (
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
  -- Public part of the key, to tell keys apart and to find one.
  prefix text not null unique,
  role_id uuid not null,
  -- Addresses and networks it may be used from; anywhere when empty.
  addresses jsonb not null default '[]',
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  unique (workspace, id),
  foreign key (workspace, role_id) references core.role (workspace, id)
);
create index api_key_workspace on core.api_key (workspace, created_at desc, id);
select core.protect('core.api_key');

-- Apart from the key's record, so that no read of records can ever answer it. Written by whoever makes a key, read by sign-in.
create table core.api_key_secret (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  api_key uuid not null,
  hash bytea not null unique,
  created_at timestamptz not null default now(),
  foreign key (workspace, api_key) references core.api_key (workspace, id) on delete cascade
);
create index api_key_secret_key on core.api_key_secret (api_key);
select core.protect('core.api_key_secret', 'insert, delete');

-- Sign-in looks for a person's companies before it knows one. Where the owner is no superuser, forced row level security
-- binds it too: these policies are for the owner alone.
create policy sign_in on core.workspace to current_user using (true) with check (true);
create policy sign_in on core.member to current_user using (true) with check (true);
create policy sign_in on core.role to current_user using (true) with check (true);
create policy sign_in on core.role_assignment to current_user using (true) with check (true);
create policy sign_in on core.api_key to current_user using (true) with check (true);
create policy sign_in on core.api_key_secret to current_user using (true) with check (true);

-- What a unit of work may do with sign-in, in its own transaction and only for people of its own workspace -----------------

create function core.is_member(person uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  select exists (select from core.member where workspace = core.current_workspace() and id = person and deleted_at is null)
$$;

-- Finds or makes the sign-in of an address. One person has one, in however many companies; an existing one keeps its password.
create function core.login_open(new_id uuid, new_email text, new_name text, password_hash text, at timestamptz)
  returns table (id uuid, made boolean)
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  found uuid;
begin
  insert into core."user" (id, name, email, created_at, updated_at) values (new_id, new_name, lower(new_email), at, at)
    on conflict do nothing;
  select u.id into found from core."user" u where lower(u.email) = lower(new_email);
  if found = new_id then
    insert into core.credential (id, account_id, provider_id, user_id, password, created_at, updated_at)
      values (new_id, new_id::text, 'credential', new_id, password_hash, at, at);
  end if;
  return query select found, found = new_id;
end $$;

-- False when the person also works elsewhere: then the password is theirs, and one company's administrator must not set it.
create function core.login_set_password(person uuid, password_hash text, at timestamptz) returns boolean
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  if not core.is_member(person) then return false; end if;
  if exists (select from core.member where id = person and workspace <> core.current_workspace() and deleted_at is null) then
    return false;
  end if;
  update core.credential set password = password_hash, updated_at = at where user_id = person and provider_id = 'credential';
  delete from core.session where user_id = person;
  return true;
end $$;

-- Ends what a person has open here; sessions of somebody who works elsewhere too stay open there.
create function core.login_end_sessions(person uuid) returns integer
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  ended integer;
begin
  if not core.is_member(person) then return 0; end if;
  if exists (select from core.member
             where id = person and workspace <> core.current_workspace() and state = 'active' and deleted_at is null) then
    update core.session set workspace = null where user_id = person and workspace = core.current_workspace();
  else
    delete from core.session where user_id = person;
  end if;
  get diagnostics ended = row_count;
  return ended;
end $$;

revoke all on function core.is_member, core.login_open, core.login_set_password, core.login_end_sessions from public;
grant execute on function core.is_member, core.login_open, core.login_set_password, core.login_end_sessions to socle_app;
