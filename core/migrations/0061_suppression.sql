-- What was suppressed and lifted at any day, persons who are accounts, and what a run of a rule came to.

-- Each suppression and each lifting, once and for good. `core.suppression` says what stands now, and whatever changes it writes
-- its line here: so the state of a past day is what it was then.
create table core.suppression_line (
  workspace uuid not null references core.workspace (id) on delete cascade,
  address_hash bytea not null,
  channel text not null check (channel in ('mail', 'sms', 'phone', 'post', 'any')),
  position bigint generated always as identity,
  action text not null check (action in ('suppressed', 'lifted')),
  -- One of the reasons of `core.suppression`; of a lifting what was said for it.
  reason text not null,
  at timestamptz not null,
  by_user uuid,
  primary key (workspace, address_hash, channel, position)
);

-- Where the owner is no superuser, forced row level security would blind it.
alter table core.suppression no force row level security;
insert into core.suppression_line (workspace, address_hash, channel, action, reason, at, by_user)
  select s.workspace, s.address_hash, s.channel, 'suppressed', s.reason, s.at, s.by_user from core.suppression s
  union all
  select s.workspace, s.address_hash, s.channel, 'lifted', s.lift_reason, s.lifted_at, s.lifted_by from core.suppression s where s.lifted_at is not null
  order by 6;
alter table core.suppression force row level security;
select core.protect('core.suppression_line', 'select, insert');

create function core.keep_suppression_line() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if not exists (select from core.workspace w where w.id = old.workspace) then return old; end if;
  -- Somebody may have been named in why it was lifted: the words may give way to a mark, that it was lifted stays.
  elsif old.action = 'lifted' and to_jsonb(new) - 'reason' = to_jsonb(old) - 'reason' then return new; end if;
  raise exception 'suppression_line is append-only' using errcode = 'restrict_violation';
end $$;
create trigger suppression_line_is_append_only before update or delete on core.suppression_line
  for each row execute function core.keep_suppression_line();
create trigger suppression_line_is_not_emptied before truncate on core.suppression_line execute function core.refuse_truncation();

create function core.note_suppression() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' or (new.at, new.reason) <> (old.at, old.reason) then
    insert into core.suppression_line (workspace, address_hash, channel, action, reason, at, by_user)
      values (new.workspace, new.address_hash, new.channel, 'suppressed', new.reason, new.at, new.by_user);
  end if;
  if new.lifted_at is not null and (tg_op = 'INSERT' or new.lifted_at is distinct from old.lifted_at) then
    insert into core.suppression_line (workspace, address_hash, channel, action, reason, at, by_user)
      values (new.workspace, new.address_hash, new.channel, 'lifted', new.lift_reason, new.lifted_at, new.lifted_by);
  end if;
  return null;
end $$;
create trigger suppression_is_noted after insert or update on core.suppression for each row execute function core.note_suppression();

-- Every record that is the same person: merged into one another, a lead and the contact it became, or a person's account of
-- their own, at which nobody else is.
create or replace function core.same_person(of_resource text, of_person uuid) returns table (resource text, record uuid)
  language sql stable as $$
  with recursive self as (
    select of_resource as resource, of_person as record
    union
    select other.resource, other.record from self cross join lateral (
      select m.resource, m.record from core.merged_record m
      where m.workspace = core.current_workspace() and m.resource = self.resource and m.survivor = self.record
      union all
      select m.resource, m.survivor from core.merged_record m
      where m.workspace = core.current_workspace() and m.resource = self.resource and m.record = self.record
      union all
      select 'core.lead', l.id from core.lead l
      where self.resource = 'core.contact' and l.workspace = core.current_workspace() and l.contact_id = self.record
      union all
      select 'core.contact', l.contact_id from core.lead l
      where self.resource = 'core.lead' and l.workspace = core.current_workspace() and l.id = self.record and l.contact_id is not null
      union all
      select 'core.account', a.id from core.contact c join core.account a on a.workspace = c.workspace and a.id = c.account_id and a.kind = 'person'
      where self.resource = 'core.contact' and c.workspace = core.current_workspace() and c.id = self.record and not exists (
        select from core.contact o where o.workspace = a.workspace and o.account_id = a.id and o.deleted_at is null and o.id <> c.id)
      union all
      select 'core.contact', c.id from core.account a join core.contact c on c.workspace = a.workspace and c.account_id = a.id and c.deleted_at is null
      where self.resource = 'core.account' and a.kind = 'person' and a.workspace = core.current_workspace() and a.id = self.record and not exists (
        select from core.contact o where o.workspace = a.workspace and o.account_id = a.id and o.deleted_at is null and o.id <> c.id)) other)
  select self.resource, self.record from self $$;

-- A person may be an account; and who took the archive along stands with its request.
alter table core.privacy_request
  drop constraint privacy_request_subject_resource_check,
  add constraint privacy_request_subject_resource_check check (subject_resource in ('core.contact', 'core.lead', 'core.account')),
  add column fetched_at timestamptz,
  add column fetched_by uuid;

-- Of what ended, what stays as a row without a word.
alter table core.retention_run add column blanked bigint not null default 0;
alter table core.retention_run no force row level security;
update core.retention_run set blanked = gone where action = 'anonymise' or resource in ('core.contact', 'core.lead');
alter table core.retention_run force row level security;
