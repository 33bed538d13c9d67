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

alter table core.session
  -- Whether it was opened with a second factor or a passkey.
  add column strong boolean not null default false,
  add column seen_at timestamptz;

-- A person's authenticator app. `last_step` is the newest half minute whose code was used: no code works twice.
create table core.second_factor (
  user_id uuid primary key references core."user" (id) on delete cascade,
  sealed_secret text not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0,
  created_at timestamptz not null
);

-- What opens the door when the app is lost; each once.
create table core.recovery_code (
  user_id uuid not null references core."user" (id) on delete cascade,
  hash bytea not null,
  used_at timestamptz,
  primary key (user_id, hash)
);

-- Public halves of keys that never leave a person's devices.
create table core.passkey (
  id uuid primary key,
  user_id uuid not null references core."user" (id) on delete cascade,
  name text not null,
  credential_id text not null unique,
  public_key bytea not null,
  counter bigint not null,
  transports jsonb not null default '[]',
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkey_user on core.passkey (user_id);

-- A workspace's settings are a record of the workspace itself: changed through the write path, with a line in the ledger.
alter table core.workspace
  -- Whether it lets nobody work with a password alone.
  add column second_factor text not null default 'optional' check (second_factor in ('optional', 'required')),
  -- How much must speak for two records being one before people are asked.
  add column duplicate_strictness text not null default 'usual' check (duplicate_strictness in ('lenient', 'usual', 'strict')),
  add check (fiscal_month between 1 and 12),
  add column workspace uuid generated always as (id) stored,
  add column owner uuid,
  add column team uuid,
  add column updated_at timestamptz not null default now(),
  add column created_by uuid,
  add column updated_by uuid,
  add column deleted_at timestamptz,
  add column custom jsonb not null default '{}';

alter table core.member
  add column last_seen_at timestamptz,
  -- Since when they have been one of the company by their own doing; null while they are only invited.
  add column accepted_at timestamptz,
  add column password_set_at timestamptz,
  add column password_link_at timestamptz,
  -- When a provider last vouched for them, and which.
  add column vouched_at timestamptz,
  add column vouched_by text,
  -- When a link to an account at a provider was last taken away, and at which.
  add column unlinked_at timestamptz,
  add column unlinked_from text,
  -- When an administrator last took their second factor and passkeys away, or ended their sessions.
  add column second_factor_reset_at timestamptz,
  add column sessions_ended_at timestamptz,
  -- How screens look to this person: { theme, density }.
  add column preferences jsonb not null default '{}';
alter table core.role add column description text;

create function core.keep_acceptance() returns trigger language plpgsql as $$
begin
  if new.state = 'invited' then new.accepted_at := null;
  elsif new.state = 'active' and new.accepted_at is null then new.accepted_at := now();
  end if;
  return new;
end $$;
create trigger member_acceptance before insert or update of state, accepted_at on core.member
  for each row execute function core.keep_acceptance();

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
select core.protect('core.role_assignment', 'select, insert, update, delete', 'person', 'user_id', 'select');
select core.protect('core.role', 'select, insert, update, delete', 'part', 'id core.role_assignment role_id', 'select');

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
  rotated_at timestamptz,
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
  -- From when it is refused, set when a newer secret takes its place; null for the newest.
  expires_at timestamptz,
  last_used_at timestamptz,
  foreign key (workspace, api_key) references core.api_key (workspace, id) on delete cascade
);
create index api_key_secret_key on core.api_key_secret (api_key);
select core.protect('core.api_key_secret', 'insert, delete, update (expires_at), select (id, workspace, api_key, created_at, expires_at, last_used_at)');

-- Ways in that an administrator passes on: to accept an invitation, to choose a new password. One for each person here; a
-- new one replaces it. Its hash is for sign-in alone.
create table core.sign_in_link (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  user_id uuid not null,
  purpose text not null check (purpose in ('invitation', 'password')),
  hash bytea not null unique,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  created_by uuid,
  unique (workspace, user_id),
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade
);
select core.protect('core.sign_in_link', 'insert, delete, select (id, workspace, user_id, purpose, expires_at, created_at, created_by)');

-- Who vouches for people beside ourselves: one company's identity provider, spoken to by OpenID Connect or SAML 2.0.
create table core.identity_provider (
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
  kind text not null check (kind in ('oidc', 'saml')),
  enabled boolean not null default false,
  -- Whether its button stands on the sign-in page for everybody, or only for addresses of its domains.
  shown boolean not null default true,
  -- Whether people of its domains come in by it alone; administrators always may come in otherwise.
  exclusive boolean not null default false,
  -- Whether it asks for a second factor itself, so that none of ours is asked for.
  strong boolean not null default false,
  -- Domains of e-mail addresses it may vouch for, in lower case.
  domains jsonb not null default '[]' check (jsonb_typeof(domains) = 'array'),
  -- Whether it lets in people nobody has invited, and as what.
  admission text not null default 'invited' check (admission in ('invited', 'anyone')),
  role_id uuid,
  join_team uuid,
  -- The issuer of OpenID Connect, or the entity id of SAML.
  issuer text not null,
  client_id text,
  entry_point text,
  -- What its assertions are signed with, PEM; two while it changes from one to the next.
  certificates jsonb not null default '[]' check (jsonb_typeof(certificates) = 'array'),
  secret_set_at timestamptz,
  -- The attribute of a SAML assertion that names an account for good; its name id when null, which then has to be persistent.
  subject_attribute text,
  unique (workspace, id),
  foreign key (workspace, role_id) references core.role (workspace, id),
  foreign key (workspace, join_team) references core.team (workspace, id)
);
create index identity_provider_domains on core.identity_provider using gin (domains) where enabled and deleted_at is null;
select core.protect('core.identity_provider');

-- Client secrets, sealed, apart from the record, so that no read of records can ever answer them. For sign-in alone.
create table core.identity_provider_secret (
  provider uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  sealed text not null,
  foreign key (workspace, provider) references core.identity_provider (workspace, id) on delete cascade
);
select core.protect('core.identity_provider_secret', 'insert, delete, select (provider, workspace)');

-- Which account at a provider is which person. Made once by a verified address, and by the subject from then on: addresses
-- are given to other people in time, subjects are not.
create table core.external_identity (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  provider uuid not null,
  issuer text not null,
  subject text not null,
  user_id uuid not null references core."user" (id) on delete cascade,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  unique (provider, issuer, subject),
  unique (provider, issuer, user_id),
  foreign key (workspace, provider) references core.identity_provider (workspace, id) on delete cascade,
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade
);
create index external_identity_user on core.external_identity (user_id);
select core.protect('core.external_identity', 'select, insert, update (last_used_at)');

-- A session that a provider opened is one in its company alone, whatever others its person works in.
alter table core.session
  add column provider uuid references core.identity_provider (id) on delete cascade,
  add column bound_to uuid references core.workspace (id) on delete cascade,
  add check ((provider is null) = (bound_to is null));
create index session_of_provider on core.session (provider) where provider is not null;

-- Sign-in looks for a person's companies before it knows one. Where the owner is no superuser, forced row level security
-- binds it too: these policies are for the owner alone.
create policy sign_in on core.workspace to current_user using (true) with check (true);
create policy sign_in on core.member to current_user using (true) with check (true);
create policy sign_in on core.role to current_user using (true) with check (true);
create policy sign_in on core.role_assignment to current_user using (true) with check (true);
create policy sign_in on core.api_key to current_user using (true) with check (true);
create policy sign_in on core.sign_in_link to current_user using (true) with check (true);
create policy sign_in on core.api_key_secret to current_user using (true) with check (true);
create policy sign_in on core.identity_provider to current_user using (true) with check (true);
create policy sign_in on core.identity_provider_secret to current_user using (true) with check (true);
create policy sign_in on core.external_identity to current_user using (true) with check (true);

-- What a unit of work may do with sign-in, in its own transaction and only for people of its own workspace -----------------

create function core.is_member(person uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  select exists (select from core.member where workspace = core.current_workspace() and id = person and deleted_at is null
    and (core.is_internal() or id = core.current_actor()))
$$;

-- Whether a person of this company came in by their own doing; until then how they sign in is none of its business.
create function core.has_accepted(person uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  select core.is_member(person) and exists (select from core.member
    where workspace = core.current_workspace() and id = person and accepted_at is not null)
$$;

-- Finds or makes the sign-in of an address, with a password or, for an invitation, without. One person has one, in however
-- many companies; an existing one keeps its password.
create function core.login_open(new_id uuid, new_email text, new_name text, password_hash text, at timestamptz)
  returns table (id uuid, made boolean)
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  found uuid;
begin
  insert into core."user" (id, name, email, created_at, updated_at) values (new_id, new_name, lower(new_email), at, at)
    on conflict do nothing;
  select u.id into found from core."user" u where lower(u.email) = lower(new_email);
  if found = new_id and password_hash is not null then
    insert into core.credential (id, account_id, provider_id, user_id, password, created_at, updated_at)
      values (new_id, new_id::text, 'credential', new_id, password_hash, at, at);
  end if;
  return query select found, found = new_id;
end $$;

-- How somebody signs in beside their password: that there is something, never what.
create function core.login_strength(people uuid[]) returns table (id uuid, app boolean, passkeys bigint)
  language sql stable security definer set search_path = core, pg_temp as $$
  select p.id, core.has_accepted(p.id) and exists (select from core.second_factor f where f.user_id = p.id and f.confirmed_at is not null),
    (select count(*) from core.passkey k where k.user_id = p.id and core.has_accepted(p.id))
  from unnest(people) as p (id) where core.is_member(p.id)
$$;

-- Whether a person also works in another company: then how they sign in is theirs alone. That another company invited them,
-- or had them once, takes nothing from this one.
create function core.works_elsewhere(person uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  select exists (select from core.member where id = person and workspace <> core.current_workspace()
    and state = 'active' and accepted_at is not null and deleted_at is null)
$$;

-- Uses a link up and keeps the password chosen with it; ends the sessions of who had forgotten theirs. Null when there is no
-- such link, or when it would set a password that is not this company's to set: of somebody who works elsewhere too, or who
-- signs in already.
create function core.login_use_link(person uuid, link_hash bytea, password_hash text, at timestamptz) returns text
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  used text;
begin
  select l.purpose into used from core.sign_in_link l
    where l.workspace = core.current_workspace() and l.user_id = person and l.hash = link_hash and l.expires_at > at
    for update;
  if used is null then return null; end if;
  if used = 'password' and (password_hash is null or not core.has_accepted(person) or core.works_elsewhere(person)) then return null; end if;
  if used = 'invitation' and password_hash is not null and core.login_exists(person) then return null; end if;
  delete from core.sign_in_link l where l.workspace = core.current_workspace() and l.user_id = person;
  if password_hash is null then return used; end if;
  update core.credential set password = password_hash, updated_at = at where user_id = person and provider_id = 'credential';
  if not found then
    insert into core.credential (id, account_id, provider_id, user_id, password, created_at, updated_at)
      values (gen_random_uuid(), person::text, 'credential', person, password_hash, at, at);
  end if;
  delete from core.session where user_id = person;
  delete from core.verification where user_id = person;
  return used;
end $$;

-- Whether a person signs in already, somewhere, with a password or another way.
create function core.login_exists(person uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  select exists (select from core.credential where user_id = person)
    or exists (select from core.passkey where user_id = person)
    or exists (select from core.external_identity where user_id = person)
$$;

-- Takes away app, recovery codes and passkeys of somebody who has lost them. False when the person also works elsewhere.
create function core.login_reset_second_factor(person uuid) returns boolean
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  if not core.has_accepted(person) or core.works_elsewhere(person) then return false; end if;
  delete from core.second_factor where user_id = person;
  delete from core.recovery_code where user_id = person;
  delete from core.passkey where user_id = person;
  delete from core.session where user_id = person;
  return true;
end $$;

-- Sessions in which somebody works here, or may: one that chose no company belongs to each of theirs.
create function core.login_sessions(person uuid, at timestamptz)
  returns table (id uuid, user_agent text, address text, created_at timestamptz, seen_at timestamptz, expires_at timestamptz, strong boolean,
    through text)
  language sql stable security definer set search_path = core, pg_temp as $$
  select s.id, s.user_agent, nullif(s.ip_address, ''), s.created_at, coalesce(s.seen_at, s.created_at), s.expires_at, s.strong, p.name
  from core.session s left join core.identity_provider p on p.id = s.provider
  where core.has_accepted(person) and s.user_id = person and s.expires_at > at
    and (s.workspace = core.current_workspace() or s.workspace is null)
$$;

-- Ends one of them, or every one; whoever works elsewhere too signs in again there.
create function core.login_end_session(person uuid, one uuid, at timestamptz) returns integer
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  ended integer;
begin
  delete from core.session s using core.login_sessions(person, at) mine where s.id = mine.id and (one is null or s.id = one);
  get diagnostics ended = row_count;
  return ended;
end $$;

-- Takes away that an account at a provider is a person, and what is open or half open by it. Answers what the provider is
-- called; null when there is no such link here.
create function core.login_unlink(person uuid, link uuid) returns text
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  through uuid;
begin
  if not core.is_member(person) then return null; end if;
  delete from core.external_identity e where e.workspace = core.current_workspace() and e.user_id = person and e.id = link
    returning e.provider into through;
  if through is null then return null; end if;
  delete from core.session where user_id = person and provider = through;
  delete from core.verification where user_id = person;
  return (select name from core.identity_provider where id = through);
end $$;

-- Whether an administrator came in through a provider and none has a way in of their own, or through another provider that
-- is on: then it must stay as it is.
create function core.provider_is_last_way(through uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  with administrator as (
    select a.user_id from core.role_assignment a
    join core.role r on r.workspace = a.workspace and r.id = a.role_id and r.template = 'core.administrator' and r.deleted_at is null
    join core.member m on m.workspace = a.workspace and m.id = a.user_id and m.state = 'active' and m.deleted_at is null
    where a.workspace = core.current_workspace() and a.deleted_at is null and a.until is null)
  select exists (select from administrator join core.external_identity e using (user_id) where e.provider = through)
    and not exists (select from administrator join core.credential c using (user_id) where c.provider_id = 'credential' and c.password is not null)
    and not exists (select from administrator join core.passkey k using (user_id))
    and not exists (select from administrator join core.external_identity e using (user_id)
      join core.identity_provider p on p.id = e.provider
      where e.provider <> through and p.workspace = core.current_workspace() and p.enabled and p.deleted_at is null)
$$;

-- What a provider opened ends with it, however it was switched off or deleted; and when what was believed of it is not any
-- more: its issuer, a domain, or what it signs with. A certificate or domain that comes beside the others ends nothing.
create function core.end_provider_sessions() returns trigger
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  delete from core.session where provider = new.id;
  return null;
end $$;
create trigger provider_sessions after update on core.identity_provider
  for each row when (not new.enabled or new.deleted_at is not null or new.issuer <> old.issuer
    or not new.domains @> old.domains or not new.certificates @> old.certificates
    or new.subject_attribute is distinct from old.subject_attribute) execute function core.end_provider_sessions();

-- Ends what a person has open here; sessions of somebody who works elsewhere too stay open there.
create function core.login_end_sessions(person uuid) returns integer
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  ended integer;
begin
  if not core.has_accepted(person) then return 0; end if;
  if core.works_elsewhere(person) then
    delete from core.session where user_id = person and bound_to = core.current_workspace();
    update core.session set workspace = null where user_id = person and workspace = core.current_workspace();
  else
    delete from core.session where user_id = person;
  end if;
  get diagnostics ended = row_count;
  return ended;
end $$;

revoke all on function core.is_member, core.has_accepted, core.works_elsewhere, core.login_open, core.login_exists, core.login_use_link, core.login_unlink, core.login_end_sessions,
  core.login_strength, core.login_reset_second_factor, core.login_sessions, core.login_end_session, core.provider_is_last_way,
  core.end_provider_sessions from public;
grant execute on function core.is_member, core.has_accepted, core.works_elsewhere, core.login_open, core.login_exists, core.login_use_link, core.login_unlink, core.login_end_sessions,
  core.login_strength, core.login_reset_second_factor, core.login_sessions, core.login_end_session, core.provider_is_last_way to socle_app;
