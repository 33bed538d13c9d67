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

-- The person the work is done for; null for the platform's own.
create function core.current_actor() returns uuid
  language sql stable parallel safe
  as $$ select nullif(current_setting('app.actor', true), '')::uuid $$;

-- The second wall: `app.partner` is `*` for the people of the house and for the platform's own work, the ids of the
-- partners it stands for where a partner's person acts, and unset where nobody said: then nothing is to be seen.
create function core.is_internal() returns boolean
  language sql stable parallel safe
  as $$ select coalesce(current_setting('app.partner', true), '') = '*' $$;

-- The same as a table asks it. What the tables' owner does in functions of its own sees the whole company: where it is no
-- superuser, policies bind it too.
create function core.is_open() returns boolean
  language sql stable parallel safe
  as $$ select current_user <> 'socle_app' or coalesce(current_setting('app.partner', true), '') = '*' $$;

-- The workspace of the work in hand on the house's side of the second wall, and null on a partner's: what closes a table to
-- both with one comparison, which costs a plan nothing.
create function core.current_house() returns uuid
  language sql stable parallel safe
  as $$ select case when core.is_open() then core.current_workspace() end $$;

create function core.current_partners() returns uuid[]
  language sql stable parallel safe
  as $$ select coalesce(string_to_array(nullif(nullif(current_setting('app.partner', true), ''), '*'), ',')::uuid[], '{}') $$;

-- Whose things a partner session may read where they are told by one id: its partners', and the person's own.
create function core.current_readers() returns uuid[]
  language sql stable parallel safe
  as $$ select case when core.current_partners() = '{}' then '{}' else core.current_partners() || core.current_actor() end $$;

-- The instant of the work in hand, by the platform's clock where a partner's person acts.
create function core.current_instant() returns timestamptz
  language sql stable parallel safe
  as $$ select coalesce(nullif(current_setting('app.now', true), '')::timestamptz, now()) $$;

-- Shares that open records of a resource, of any for null, at an instant: with a person, with one of these teams, or with one
-- of these partners. The one place that says when a share holds. Late bound: shares come in 0014.
create function core.shares_with(of_user uuid, of_teams uuid[], of_partners uuid[], at timestamptz, of_resource text)
  returns table (share uuid, resource text, record uuid, access text)
  language plpgsql stable parallel safe rows 10 as $$
begin
  return query
    select s.id, s.resource, s.record, s.access from core.share s
    where s.workspace = core.current_workspace() and s.deleted_at is null
      and (s.user_id = of_user or s.to_team = any (of_teams) or s.partner = any (of_partners))
      and (of_resource is null or s.resource = of_resource)
      and (s.until is null or s.until > at)
      -- Who no longer works here is given nothing, whatever is still written.
      and (s.user_id is null or exists (
        select from core.member m where m.workspace = s.workspace and m.id = s.user_id and m.state = 'active' and m.deleted_at is null));
end $$;

-- The records they open for reading or writing; what may be written may be read.
create function core.shared_with(of_user uuid, of_teams uuid[], of_partners uuid[], at timestamptz, of_resource text, with_access text)
  returns uuid[]
  language sql stable parallel safe as $$
  select array(
    select w.record from core.shares_with(of_user, of_teams, of_partners, at, of_resource) w
    where with_access = 'read' or w.access = with_access) $$;

-- Those that are open to the session's partners now.
create function core.shared_records(of_resource text, with_access text) returns uuid[]
  language sql stable parallel safe
  as $$ select core.shared_with(null, '{}', core.current_partners(), core.current_instant(), of_resource, with_access) $$;

-- What of a table stands open to partner sessions for one command, taken together with the workspace's condition.
create function core.wall(target regclass, command text, condition text) returns void
  language plpgsql as $$
declare
  opened text := '(select core.is_open()) or (' || condition || ')';
begin
  execute format('drop policy if exists partner_%s on %s', command, target);
  if condition = 'true' then return; end if;
  if condition = 'false' then opened := '(select core.is_open())'; end if;
  execute format('create policy partner_%s on %s as restrictive for %s to socle_app %s', command, target, command,
    case command when 'insert' then format('with check (%s)', opened)
      when 'update' then format('using (%s) with check (%s)', opened, opened)
      else format('using (%s)', opened) end);
end $$;

-- Puts a table behind both walls: forced row level security, and only these rights for the application's role.
--
-- `partners` says what partner sessions find in it, `via` by what, `may` with which of the rights (all of them when left out):
--   closed      nothing: the default, and right for whatever is not said to be theirs
--   partner     rows whose column `via` (`partner` when left out) is one of the partners the session stands for
--   person      rows whose column `via` is the acting person: their own jobs, views, choices
--   reader      rows whose column `via` is one of those partners, or the acting person
--   part        rows whose column is the key of a row they find elsewhere; `via` is `column table key`
--   shared      records of the resource `via` that were opened to one of those partners by a share; written where it says so
--   everything  what tells nothing of others, or is only added to: never without `may`
--   where       rows for which the condition `via` holds; `(select f())` around each function keeps it one call a statement
--
-- For the people of the house the second wall is one look per statement: settings are read in init plans, and a closed
-- table's is the comparison that the first wall makes anyway. So it takes no index from anybody.
create function core.protect(
    target regclass, rights text default 'select, insert, update, delete',
    partners text default 'closed', via text default null, may text default null) returns void
  language plpgsql as $$
declare
  command text;
  opened text;
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('drop policy if exists workspace on %s', target);
  execute format('create policy workspace on %1$s using (workspace = (select core.%2$I())) with check (workspace = (select core.%2$I()))',
    target, case partners when 'closed' then 'current_house' else 'current_workspace' end);
  execute format('grant %s on %s to socle_app', rights, target);
  opened := case partners
    when 'closed' then 'false'
    when 'partner' then format('%I = any ((select core.current_partners())::uuid[])', coalesce(via, 'partner'))
    when 'person' then format('%I = (select core.current_actor()) and (select core.current_partners() <> ''{}'')', via)
    when 'reader' then format('%I = any ((select core.current_readers())::uuid[])', via)
    when 'part' then format('%I = any (array(select seen.%I from %s seen))', split_part(via, ' ', 1), split_part(via, ' ', 3), split_part(via, ' ', 2))
    when 'shared' then format('id = any ((select core.shared_records(%L, ''read''))::uuid[])', via)
    when 'everything' then '(select core.current_partners() <> ''{}'')'
    when 'where' then via
  end;
  if opened is null or (partners = 'everything' and may is null) then
    raise exception 'core.protect(%): "%" says not what partner sessions find; see its comment in 0001_kernel.sql', target, partners;
  end if;
  foreach command in array array['select', 'insert', 'update', 'delete'] loop
    perform core.wall(target, command, case
      -- The first wall's comparison closes it already.
      when partners = 'closed' then 'true'
      when may is null or command = any (string_to_array(replace(may, ' ', ''), ',')) then opened
      else 'false' end);
  end loop;
  if partners = 'shared' then
    perform core.wall(target, 'insert', 'false');
    perform core.wall(target, 'delete', 'false');
    -- Locking a row takes the right to see it; changing it takes a share that says so.
    execute format('drop policy partner_update on %s', target);
    execute format(
      'create policy partner_update on %s as restrictive for update to socle_app using ((select core.is_open()) or %s) with check ((select core.is_open()) or %s)',
      target, opened, format('id = any ((select core.shared_records(%L, ''write''))::uuid[])', via));
  end if;
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
select core.wall('core.workspace', 'select', '(select core.current_partners() <> ''{}'')');
select core.wall('core.workspace', 'update', 'false');

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
  updated_at timestamptz not null default now(),
  -- Set while its person looks at a workspace as somebody else, by the record that says so. Nothing is written then.
  viewing uuid,
  viewed uuid,
  viewed_in uuid,
  viewed_until timestamptz,
  check (num_nulls(viewing, viewed, viewed_in, viewed_until) in (0, 4))
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
  -- Whose it is, where it is known: what they began ends with a new password.
  user_id uuid references core."user" (id) on delete cascade,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index verification_identifier on core.verification (identifier);
create index verification_user on core.verification (user_id) where user_id is not null;

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
  -- The partner a person works for, null for the people of the house; the id is a plugin's. And all partners they stand for:
  -- their own, for an administrator of a distributor also those below.
  partner uuid,
  partners jsonb not null default '[]' check (jsonb_typeof(partners) = 'array'),
  primary key (workspace, id),
  constraint member_partners check ((partner is null) = (partners = '[]') and (partner is null or partners ? partner::text))
);
create unique index member_email on core.member (workspace, lower(email));
create index member_user on core.member (id);
create index member_partner on core.member (workspace, partner) where partner is not null;
select core.protect('core.member', 'select, insert, update, delete', 'person', 'id', 'select, update');

-- Whom somebody stands for is not theirs to say.
create function core.keep_partners() returns trigger language plpgsql as $$
begin
  if not core.is_internal() and current_user = 'socle_app' and (old.partner, old.partners) is distinct from (new.partner, new.partners) then
    raise exception 'a partner session may not say whom somebody stands for' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger member_partners before update of partner, partners on core.member for each row execute function core.keep_partners();

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
select core.protect('core.role_assignment', 'select, insert, update, delete', 'person', 'user_id', 'select');

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
select core.protect('core.change_set', 'select, insert', 'person', 'actor_id');

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
  at timestamptz not null,
  -- Beside the people of the house: the partner the record is of, or the person whose own thing it is. Null where the change
  -- moves it from one to another, because that names both.
  reader uuid
);
create index change_record on core.change (workspace, record, version desc);
create index change_of_set on core.change (workspace, change_set);
select core.protect('core.change', 'select, insert', 'reader', 'reader');
-- What somebody changes in a record that was only opened to them is the house's to read.
select core.wall('core.change', 'insert', 'reader is null or reader = any ((select core.current_readers())::uuid[])');

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
select core.protect('core.idempotency', 'select, insert, update, delete', 'where', 'actor = (select ''user:'' || core.current_actor())');

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
select core.protect('core.event', 'select, insert', 'everything', null, 'insert');

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
select core.protect('core.delivery', 'select, insert, update, delete', 'everything', null, 'insert');

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
select core.protect('core.plugin_workspace', 'select', 'everything', null, 'select');

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
  -- As in core.change.
  reader uuid,
  title text not null,
  words tsvector not null,
  primary key (workspace, record, resource)
);
alter table core.search_document enable row level security;
create index search_words on core.search_document using gin (words);

create function core.search_put(of_resource text, of_record uuid, of_owner uuid, of_team uuid, of_reader uuid, of_title text, of_body text) returns void
  language sql security definer set search_path = core, pg_temp as $$
  insert into core.search_document (workspace, resource, record, owner, team, reader, title, words)
  values (core.current_workspace(), of_resource, of_record, of_owner, of_team, of_reader, of_title,
          setweight(to_tsvector('simple', core.fold(of_title)), 'A') || setweight(to_tsvector('simple', core.fold(of_body)), 'C'))
  on conflict (workspace, record, resource) do update
    set owner = excluded.owner, team = excluded.team, reader = excluded.reader, title = excluded.title, words = excluded.words
$$;

create function core.search_drop(of_resource text, of_record uuid) returns void
  language sql security definer set search_path = core, pg_temp as $$
  delete from core.search_document
  where workspace = core.current_workspace() and resource = of_resource and record = of_record
    and (core.is_internal() or reader = any (core.current_readers()) or record = any (core.shared_records(of_resource, 'write')))
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

-- Whoever makes a numbered record takes the next number; how many there are is for the people of the house to see.
create function core.next_number(of_kind text, of_year integer) returns bigint
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  taken bigint;
begin
  insert into core.sequence as s (workspace, kind, year, last) values (core.current_workspace(), of_kind, of_year, 1)
  on conflict (workspace, kind, year) do update set last = s.last + 1
  returning s.last into taken;
  return taken;
end $$;
revoke all on function core.next_number from public;
grant execute on function core.next_number to socle_app;
