-- What every other table leans on: extensions, the workspace wall, workspaces, identity, roles, ledger, events, plugins.

create extension if not exists unaccent with schema public;
create extension if not exists pg_trgm with schema public;
create extension if not exists btree_gist with schema public;

-- Folds case and accents away. unaccent() itself is only stable, because its dictionary could change; ours never does.
create function core.fold(value text) returns text
  language sql immutable parallel safe strict
  as $$ select lower(public.unaccent('public.unaccent'::regdictionary, value)) $$;

-- The workspace of the work in hand; null outside any, which no row equals.
create function core.current_workspace() returns uuid
  language sql stable parallel safe
  as $$ select nullif(current_setting('app.workspace', true), '')::uuid $$;

-- Puts a table behind the workspace wall: forced row level security, and only these rights for the application's role.
create function core.protect(target regclass, rights text default 'select, insert, update, delete') returns void
  language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy workspace on %s using (workspace = (select core.current_workspace())) with check (workspace = (select core.current_workspace()))',
    target);
  execute format('grant %s on %s to socle_app', rights, target);
end $$;

-- Workspaces ------------------------------------------------------------------------------------------------------

create table core.workspace (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  locale text not null default 'en',
  zone text not null default 'Europe/Paris',
  base_currency text not null default 'EUR',
  fiscal_month integer not null default 1,
  labels jsonb not null default '{}',
  demo boolean not null default false,
  version integer not null default 1,
  created_at timestamptz not null default now()
);
alter table core.workspace enable row level security;
alter table core.workspace force row level security;
create policy workspace on core.workspace using (id = (select core.current_workspace())) with check (id = (select core.current_workspace()));
grant select, update on core.workspace to socle_app;

-- Sign-in: belongs to the whole installation and is closed to the application's role --------------------------------

create table core."user" (
  id uuid primary key,
  name text not null,
  email text not null,
  email_verified boolean not null default false,
  image text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index user_email on core."user" (lower(email));

create table core.session (
  id uuid primary key,
  user_id uuid not null references core."user" (id) on delete cascade,
  token text not null unique,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  workspace uuid references core.workspace (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index session_of_user on core.session (user_id);

create table core.credential (
  id uuid primary key,
  account_id text not null,
  provider_id text not null,
  user_id uuid not null references core."user" (id) on delete cascade,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  password text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index credential_user on core.credential (user_id);

create table core.verification (
  id uuid primary key,
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index verification_identifier on core.verification (identifier);

-- People and their rights in one workspace ----------------------------------------------------------------------------

create table core.team (
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
  parent_id uuid references core.team (id),
  check (parent_id <> id)
);
create unique index team_name on core.team (workspace, lower(name)) where deleted_at is null;
select core.protect('core.team');

-- A user as a workspace knows them; the id is the sign-in user's, so one person is the same everywhere.
create table core.member (
  id uuid not null,
  workspace uuid not null references core.workspace (id) on delete cascade,
  owner uuid,
  team uuid references core.team (id),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  deleted_at timestamptz,
  custom jsonb not null default '{}',
  name text not null,
  email text,
  locale text not null default 'en',
  state text not null default 'active' check (state in ('active', 'invited', 'inactive')),
  manager_id uuid,
  primary key (workspace, id)
);
create unique index member_email on core.member (workspace, lower(email));
create index member_user on core.member (id);
select core.protect('core.member');

create table core.team_member (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  team_id uuid not null references core.team (id) on delete cascade,
  user_id uuid not null,
  from_date date not null default '-infinity',
  to_date date not null default 'infinity',
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade,
  exclude using gist (workspace with =, team_id with =, user_id with =, daterange(from_date, to_date, '[)') with &&)
);
create index team_member_user on core.team_member (workspace, user_id);
select core.protect('core.team_member');

-- A role carries its grants as data: [{ resource, action, visibility, condition?, deny? }] and, for fields,
-- [{ resource, field, access }]. One row is one unit of change: one version, one line in the ledger.
create table core.role (
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
  template text,
  grants jsonb not null default '[]',
  fields jsonb not null default '[]'
);
create unique index role_name on core.role (workspace, lower(name)) where deleted_at is null;
select core.protect('core.role');

create table core.role_assignment (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  role_id uuid not null references core.role (id) on delete cascade,
  user_id uuid not null,
  until timestamptz,
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade,
  unique (workspace, role_id, user_id)
);
create index role_assignment_user on core.role_assignment (workspace, user_id);
select core.protect('core.role_assignment');

create table core.api_key (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  name text not null,
  prefix text not null,
  hash text not null unique,
  role_id uuid not null references core.role (id),
  addresses text[] not null default '{}',
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  created_by uuid,
  created_at timestamptz not null default now()
);
create index api_key_workspace on core.api_key (workspace);
select core.protect('core.api_key');

-- Ledger: written once, read for ever -----------------------------------------------------------------------------------

create table core.change_set (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  actor_type text not null,
  actor_id uuid,
  actor_name text not null,
  origin text not null,
  reason text,
  request text,
  undo_of uuid,
  at timestamptz not null
);
create index change_set_recent on core.change_set (workspace, at desc, id desc);
create index change_set_undo on core.change_set (workspace, undo_of) where undo_of is not null;
select core.protect('core.change_set', 'select, insert');

create table core.change (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  change_set uuid not null references core.change_set (id),
  resource text not null,
  record uuid not null,
  action text not null check (action in ('create', 'update', 'delete', 'restore')),
  version integer not null,
  -- { field: [old, new] }, values as the API shows them
  fields jsonb not null,
  acknowledged text[] not null default '{}',
  at timestamptz not null
);
create index change_record on core.change (workspace, record, version desc);
create index change_of_set on core.change (workspace, change_set);
select core.protect('core.change', 'select, insert');

create function core.refuse_rewriting() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only' using errcode = 'restrict_violation';
end $$;
create trigger ledger_is_append_only before update on core.change_set for each row execute function core.refuse_rewriting();
create trigger ledger_is_append_only before update on core.change for each row execute function core.refuse_rewriting();

-- Answers given to an Idempotency-Key, kept 24 hours
create table core.idempotency (
  workspace uuid not null references core.workspace (id) on delete cascade,
  key text not null,
  actor text not null,
  request_hash text not null,
  status integer not null,
  headers jsonb not null,
  body text not null,
  at timestamptz not null,
  primary key (workspace, actor, key)
);
select core.protect('core.idempotency');

-- Events ------------------------------------------------------------------------------------------------------------------

create table core.event (
  id uuid primary key,
  seq bigint generated always as identity,
  workspace uuid not null references core.workspace (id) on delete cascade,
  name text not null,
  version integer not null,
  key uuid not null,
  payload jsonb not null,
  change_set uuid,
  at timestamptz not null
);
create index event_key on core.event (workspace, key, seq);
create index event_recent on core.event (workspace, seq desc);
select core.protect('core.event', 'select, insert');

-- Who hears what: written at boot from the plugins' declarations, so that the fan-out is one statement.
create table core.subscription (
  id text primary key,
  plugin text not null,
  event text not null,
  active boolean not null default true
);
create index subscription_event on core.subscription (event) where active;
grant select on core.subscription to socle_app;

-- One row per event and subscriber until it is handled; the handler's effects and the row's end commit together.
create table core.delivery (
  id uuid primary key,
  seq bigint generated always as identity,
  workspace uuid not null references core.workspace (id) on delete cascade,
  subscription text not null references core.subscription (id) on delete cascade,
  event uuid not null references core.event (id) on delete cascade,
  key uuid not null,
  state text not null default 'waiting' check (state in ('waiting', 'held', 'dead')),
  attempts integer not null default 0,
  due_at timestamptz not null,
  last_error text,
  unique (subscription, event)
);
create index delivery_due on core.delivery (due_at, seq) where state = 'waiting';
create index delivery_order on core.delivery (subscription, workspace, key, seq);
select core.protect('core.delivery');

-- Plugins -----------------------------------------------------------------------------------------------------------------

create table core.plugin (
  id text primary key,
  version text not null,
  state text not null default 'installed' check (state in ('installed', 'quarantined')),
  reason text,
  installed_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
grant select on core.plugin to socle_app;

create table core.plugin_workspace (
  plugin text not null,
  workspace uuid not null references core.workspace (id) on delete cascade,
  state text not null check (state in ('enabled', 'disabled')),
  since timestamptz not null default now(),
  by_user uuid,
  primary key (workspace, plugin)
);
select core.protect('core.plugin_workspace', 'select');

-- One number that every toggle raises; processes and tabs compare it with theirs.
create table core.generation (
  only_row boolean primary key default true check (only_row),
  value bigint not null
);
insert into core.generation values (true, 1);
grant select on core.generation to socle_app;

-- Search: no grant at all to the application's role. ILIKE, trigram and full text operators are not leakproof and lose
-- their index under row level security, so the table is reached only through functions that filter by workspace themselves.
create table core.search_document (
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  record uuid not null,
  owner uuid,
  team uuid,
  title text not null,
  words tsvector not null,
  primary key (workspace, record, resource)
);
alter table core.search_document enable row level security;
create index search_words on core.search_document using gin (words);

create function core.search_put(of_resource text, of_record uuid, of_owner uuid, of_team uuid, of_title text, of_body text) returns void
  language sql security definer set search_path = core, pg_temp as $$
  insert into core.search_document (workspace, resource, record, owner, team, title, words)
  values (core.current_workspace(), of_resource, of_record, of_owner, of_team, of_title,
          setweight(to_tsvector('simple', core.fold(of_title)), 'A') || setweight(to_tsvector('simple', core.fold(of_body)), 'C'))
  on conflict (workspace, record, resource) do update
    set owner = excluded.owner, team = excluded.team, title = excluded.title, words = excluded.words
$$;

create function core.search_drop(of_resource text, of_record uuid) returns void
  language sql security definer set search_path = core, pg_temp as $$
  delete from core.search_document
  where workspace = core.current_workspace() and resource = of_resource and record = of_record
$$;

-- Best documents for a prefix query such as 'mais:* & garo:*', of the given resources, in this workspace only.
create function core.search_find(query text, resources text[], at_most integer)
  returns table (resource text, record uuid, title text, rank real)
  language sql stable security definer set search_path = core, pg_temp as $$
  select d.resource, d.record, d.title, ts_rank(d.words, to_tsquery('simple', query))
  from core.search_document d
  where d.workspace = core.current_workspace() and d.resource = any (resources) and d.words @@ to_tsquery('simple', query)
  order by 4 desc, d.title, d.record
  limit at_most
$$;

revoke all on function core.search_put, core.search_drop, core.search_find from public;
grant execute on function core.search_put, core.search_drop, core.search_find to socle_app;

-- Human numbers without gaps: the row's lock is held until the transaction that took one ends.
create table core.sequence (
  workspace uuid not null references core.workspace (id) on delete cascade,
  kind text not null,
  year integer not null,
  last bigint not null default 0,
  primary key (workspace, kind, year)
);
select core.protect('core.sequence');
