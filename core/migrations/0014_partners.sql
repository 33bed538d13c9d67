-- Records opened to those they are out of reach for; and what partners' people ask.

-- A record opened to somebody it is out of reach for: a person, a team, or a partner.
create table core.share (
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
  resource text not null,
  record uuid not null,
  user_id uuid,
  to_team uuid,
  partner uuid,
  access text not null default 'read' check (access in ('read', 'write')),
  until timestamptz,
  reason text,
  unique (workspace, id),
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade,
  foreign key (workspace, to_team) references core.team (workspace, id) on delete cascade,
  constraint share_with_one check (num_nonnulls(user_id, to_team, partner) = 1)
);
create unique index share_with_partner on core.share (workspace, partner, resource, record) where partner is not null and deleted_at is null;
create unique index share_with_user on core.share (workspace, user_id, resource, record) where user_id is not null and deleted_at is null;
create unique index share_with_team on core.share (workspace, to_team, resource, record) where to_team is not null and deleted_at is null;
create index share_of_record on core.share (workspace, record) where deleted_at is null;
select core.protect('core.share', 'select, insert, update, delete', 'partner', 'partner', 'select');

-- Which of a partner's own records something refers to that they may not see, so that taking back an import leaves them. The
-- place is a column, or a field of the company's own; `beside` names the column that tells the resource, where any may be
-- meant. Of records whose making the session may not read it tells nothing.
create function core.records_in_use(place regclass, of_column text, of_field text, beside text, of_resource text, records uuid[], except_for uuid[])
  returns setof uuid
  language plpgsql stable security definer set search_path = core, pg_temp as $$
declare
  value text := case when of_column is null then format('core.custom_id(t.custom, %L)', of_field) else format('t.%I', of_column) end;
begin
  return query execute format('select distinct %1$s from %2$s t
    where t.workspace = core.current_workspace() and t.deleted_at is null and t.id <> all ($2) and %1$s = any ($1) %3$s',
    value, place, case when beside is null then '' else format('and t.%I = $3', beside) end)
    using array(
      select c.record from core.change c
      where c.workspace = core.current_workspace() and c.resource = of_resource and c.record = any (records) and c.action = 'create'
        and (core.is_internal() or c.reader = any (core.current_readers()))),
      except_for, of_resource;
end $$;
revoke all on function core.records_in_use from public;
grant execute on function core.records_in_use to socle_app;

-- Who asked whether a prospect is known, and was told what: for the auditor, and to count a day's questions.
create table core.known_question (
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
  question text not null,
  name text,
  domain text,
  siren text,
  answer text not null check (answer in ('free', 'known', 'yours')),
  asker uuid not null,
  asked_on date not null,
  partner uuid,
  check (num_nonnulls(name, domain, siren) > 0)
);
create index known_question_of_day on core.known_question (workspace, asker, asked_on);
create index known_question_recent on core.known_question (workspace, created_at desc, id desc);
select core.protect('core.known_question');
