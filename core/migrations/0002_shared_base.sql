-- The shared customer base: accounts, contacts, leads, activities, products, orders, invoices, payments.
--
-- A reference inside the base is a composite key with the workspace, because foreign keys are checked past row level
-- security: an id alone would let one company's row point at another's. `unique (workspace, id)` exists for them.

-- Accounts ------------------------------------------------------------------------------------------------------------

-- A name without case, accents, punctuation and legal form: "Établissements Léger SARL" and "leger" are one.
create function core.name_norm(value text) returns text
  language sql immutable parallel safe strict
  as $$
    select coalesce(nullif(btrim(regexp_replace(
      regexp_replace(
        replace(core.fold(value), '.', ''),
        '\m(sarl|sas|sasu|sa|eurl|earl|gaec|snc|sci|scop|scp|selarl|selas|gie|ei|ste|societe|ets|etablissements?|gmbh|ag|ltd|llc|inc|plc|bv|srl|spa)\M',
        ' ', 'g'),
      '[^[:alnum:]]+', ' ', 'g')), ''), btrim(core.fold(value)))
  $$;

create table core.account (
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
  kind text not null default 'organisation' check (kind in ('organisation', 'person')),
  name text not null check (btrim(name) <> ''),
  name_norm text not null generated always as (core.name_norm(name)) stored,
  legal_name text,
  code text,
  lifecycle text not null default 'suspect' check (lifecycle in ('suspect', 'prospect', 'client', 'former')),
  parent_id uuid,
  domain text check (domain = lower(domain)),
  website text,
  siren text check (siren ~ '^[0-9]{9}$'),
  siret text check (siret ~ '^[0-9]{14}$'),
  vat_number text check (vat_number ~ '^[A-Z]{2}[0-9A-Z+*]{2,13}$'),
  industry text,
  employees integer check (employees >= 0),
  annual_revenue numeric(19, 4),
  founded_year integer check (founded_year between 1000 and 2999),
  source text,
  source_channel text not null default 'direct' check (source_channel in ('direct', 'partner', 'web', 'import', 'api')),
  phone text,
  phone_norm text check (phone_norm ~ '^\+[0-9]{4,15}$'),
  email text,
  address_line1 text,
  address_line2 text,
  postal_code text,
  city text,
  country text check (country ~ '^[A-Z]{2}$'),
  do_not_contact boolean not null default false,
  last_activity_at timestamptz,
  next_activity_at timestamptz,
  unique (workspace, id),
  foreign key (workspace, parent_id) references core.account (workspace, id),
  constraint account_own_parent check (parent_id <> id),
  constraint account_siret_of_siren check (left(siret, 9) = siren)
);
create unique index account_code on core.account (workspace, code) where deleted_at is null;
create index account_by_name on core.account (workspace, name collate "und-x-icu", id) where deleted_at is null;
create index account_by_created on core.account (workspace, created_at, id) where deleted_at is null;
create index account_by_last_activity on core.account (workspace, last_activity_at, id) where deleted_at is null;
create index account_by_lifecycle on core.account (workspace, lifecycle, created_at, id) where deleted_at is null;
create index account_of_owner on core.account (workspace, owner, created_at, id) where deleted_at is null;
create index account_of_team on core.account (workspace, team, created_at, id) where deleted_at is null;
create index account_of_parent on core.account (workspace, parent_id, id) where parent_id is not null;
create index account_name_norm on core.account (workspace, name_norm, id) where deleted_at is null;
create index account_domain on core.account (workspace, domain, id) where domain is not null and deleted_at is null;
create index account_siren on core.account (workspace, siren, id) where siren is not null and deleted_at is null;
select core.protect('core.account', 'select, insert, update, delete', 'shared', 'core.account');

-- What the tree would be if `child` hung below `under`: whether it bites its tail, and how many levels it would have. Its
-- owner's rights: a way that leads over accounts the asker may not see closes a cycle too.
create function core.account_tree(of_workspace uuid, child uuid, under uuid, out cycle boolean, out levels integer)
  language sql stable security definer set search_path = core, pg_temp as $$
  with recursive up as (
    select a.id, a.parent_id, 1 as level from core.account a
    where a.workspace = of_workspace and a.id = under and of_workspace = coalesce(core.current_workspace(), of_workspace)
    union all
    select a.id, a.parent_id, up.level + 1 from core.account a join up on a.id = up.parent_id
    where a.workspace = of_workspace and up.id <> child and up.level < 100
  ), down as (
    select child as id, 1 as level
    union all
    select a.id, down.level + 1 from core.account a join down on a.parent_id = down.id
    where a.workspace = of_workspace and a.id <> child and down.level < 100
      and of_workspace = coalesce(core.current_workspace(), of_workspace)
  )
  select child = under or exists (select from up where up.id = child),
         coalesce((select max(up.level) from up), 0) + (select max(down.level) from down)
$$;

revoke all on function core.account_tree from public;
grant execute on function core.account_tree to socle_app;

create function core.keep_account_tree() returns trigger language plpgsql security definer set search_path = core, pg_temp as $$
declare tree record;
begin
  if new.parent_id is null then return new; end if;
  -- Two moves in the same second may each be right alone and a cycle together.
  perform pg_advisory_xact_lock(hashtextextended('core.account.tree:' || new.workspace, 0));
  select * into tree from core.account_tree(new.workspace, new.id, new.parent_id);
  if tree.cycle then
    raise exception 'account % cannot stand below itself', new.id using errcode = 'check_violation', constraint = 'account_cycle', table = 'account', schema = 'core';
  end if;
  if tree.levels > 10 then
    raise exception 'the hierarchy of account % would have % levels', new.id, tree.levels using errcode = 'check_violation', constraint = 'account_levels', table = 'account', schema = 'core';
  end if;
  return new;
end $$;
create trigger account_tree before insert or update of parent_id on core.account for each row execute function core.keep_account_tree();

-- How an account came to its lifecycle; one event moves one record once.
create table core.lifecycle_change (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  account_id uuid not null,
  from_state text,
  to_state text not null,
  event uuid,
  reason text,
  by_user uuid,
  at timestamptz not null,
  unique (workspace, account_id, event),
  -- Written by the guard of the same write, which runs before a new account's own row is there.
  foreign key (workspace, account_id) references core.account (workspace, id) on delete cascade deferrable initially deferred
);
create index lifecycle_change_recent on core.lifecycle_change (workspace, account_id, at desc);
select core.protect('core.lifecycle_change', 'select, insert', 'where',
  'account_id = any ((select core.shared_records(''core.account'', ''write''))::uuid[])', 'insert');

-- Contacts ------------------------------------------------------------------------------------------------------------

create table core.contact (
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
  first_name text,
  last_name text,
  name text not null check (btrim(name) <> ''),
  job_title text,
  account_id uuid,
  email text check (email = lower(email)),
  phone text,
  phone_norm text check (phone_norm ~ '^\+[0-9]{4,15}$'),
  mobile text,
  mobile_norm text check (mobile_norm ~ '^\+[0-9]{4,15}$'),
  language text check (language in ('fr', 'en')),
  birth_date date,
  reports_to_id uuid,
  source text,
  source_channel text not null default 'direct' check (source_channel in ('direct', 'partner', 'web', 'import', 'api')),
  do_not_call boolean not null default false,
  do_not_mail boolean not null default false,
  unique (workspace, id),
  foreign key (workspace, account_id) references core.account (workspace, id),
  foreign key (workspace, reports_to_id) references core.contact (workspace, id),
  constraint contact_own_manager check (reports_to_id <> id)
);
create index contact_by_name on core.contact (workspace, name collate "und-x-icu", id) where deleted_at is null;
create index contact_by_last_name on core.contact (workspace, last_name collate "und-x-icu", id) where deleted_at is null;
create index contact_by_created on core.contact (workspace, created_at, id) where deleted_at is null;
create index contact_of_owner on core.contact (workspace, owner, created_at, id) where deleted_at is null;
create index contact_of_team on core.contact (workspace, team, created_at, id) where deleted_at is null;
create index contact_of_account on core.contact (workspace, account_id, created_at, id) where account_id is not null;
create index contact_email on core.contact (workspace, email, id) where email is not null and deleted_at is null;
create index contact_phone on core.contact (workspace, phone_norm, id) where phone_norm is not null and deleted_at is null;
create index contact_mobile on core.contact (workspace, mobile_norm, id) where mobile_norm is not null and deleted_at is null;
create index contact_reports_to on core.contact (workspace, reports_to_id) where reports_to_id is not null;
select core.protect('core.contact');

create table core.account_contact (
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
  account_id uuid not null,
  contact_id uuid not null,
  role text,
  is_primary boolean not null default false,
  decision_maker boolean not null default false,
  from_date date,
  to_date date,
  foreign key (workspace, account_id) references core.account (workspace, id),
  foreign key (workspace, contact_id) references core.contact (workspace, id),
  constraint account_contact_period check (to_date >= from_date),
  constraint account_contact_overlap exclude using gist (
    workspace with =, account_id with =, contact_id with =,
    daterange(coalesce(from_date, '-infinity'), coalesce(to_date, 'infinity'), '[)') with &&
  ) where (deleted_at is null)
);
-- A contact has one main account at a time.
create unique index account_contact_primary on core.account_contact (workspace, contact_id) where is_primary and to_date is null and deleted_at is null;
create index account_contact_of_account on core.account_contact (workspace, account_id, created_at, id) where deleted_at is null;
create index account_contact_of_contact on core.account_contact (workspace, contact_id, created_at, id) where deleted_at is null;
select core.protect('core.account_contact');

-- Leads ---------------------------------------------------------------------------------------------------------------

create table core.lead (
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
  first_name text,
  last_name text,
  company_name text,
  name text not null check (btrim(name) <> ''),
  job_title text,
  email text check (email = lower(email)),
  phone text,
  phone_norm text check (phone_norm ~ '^\+[0-9]{4,15}$'),
  city text,
  country text check (country ~ '^[A-Z]{2}$'),
  source text,
  source_channel text not null default 'direct' check (source_channel in ('direct', 'partner', 'web', 'import', 'api')),
  need text,
  budget numeric(19, 4),
  status text not null default 'new' check (status in ('new', 'working', 'nurturing', 'qualified', 'converted', 'unqualified')),
  reason text,
  first_response_due timestamptz,
  converted_at timestamptz,
  account_id uuid,
  contact_id uuid,
  target_resource text,
  target_record uuid,
  unique (workspace, id),
  foreign key (workspace, account_id) references core.account (workspace, id),
  foreign key (workspace, contact_id) references core.contact (workspace, id),
  constraint lead_converted check (
    (status = 'converted') = (converted_at is not null) and (status <> 'converted' or num_nonnulls(account_id, contact_id) > 0)
  ),
  constraint lead_target check ((target_resource is null) = (target_record is null))
);
create index lead_by_name on core.lead (workspace, name collate "und-x-icu", id) where deleted_at is null;
create index lead_by_created on core.lead (workspace, created_at, id) where deleted_at is null;
create index lead_by_status on core.lead (workspace, status, created_at, id) where deleted_at is null;
create index lead_of_owner on core.lead (workspace, owner, created_at, id) where deleted_at is null;
create index lead_of_team on core.lead (workspace, team, created_at, id) where deleted_at is null;
create index lead_of_account on core.lead (workspace, account_id, id) where account_id is not null;
create index lead_of_contact on core.lead (workspace, contact_id, id) where contact_id is not null;
create index lead_email on core.lead (workspace, email, id) where email is not null and deleted_at is null;
create index lead_phone on core.lead (workspace, phone_norm, id) where phone_norm is not null and deleted_at is null;
select core.protect('core.lead');

-- What the last conversion of a lead came to, so that it can be taken back and an undo undone: what it made
-- [{ resource, id, version }] and what the lead points at since { account, contact, targetResource, targetRecord }.
create table core.lead_conversion (
  workspace uuid not null references core.workspace (id) on delete cascade,
  lead_id uuid not null,
  made jsonb not null,
  became jsonb not null,
  -- Activities that were given the account and contact: [{ id, account, contact }], with what was filled.
  moved jsonb not null,
  primary key (workspace, lead_id),
  foreign key (workspace, lead_id) references core.lead (workspace, id) on delete cascade
);
select core.protect('core.lead_conversion');

-- Activities ----------------------------------------------------------------------------------------------------------

create table core.activity (
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
  type text not null default 'task' check (type in ('task', 'call', 'meeting', 'visit', 'mail', 'note')),
  subject text not null check (btrim(subject) <> ''),
  body text,
  status text not null default 'planned' check (status in ('planned', 'in_progress', 'done', 'cancelled', 'no_show')),
  priority text not null default 'normal' check (priority in ('low', 'normal', 'high')),
  start_at timestamptz,
  end_at timestamptz,
  due_at timestamptz,
  completed_at timestamptz,
  outcome text,
  account_id uuid,
  contact_id uuid,
  lead_id uuid,
  resource text,
  record uuid,
  foreign key (workspace, account_id) references core.account (workspace, id),
  foreign key (workspace, contact_id) references core.contact (workspace, id),
  foreign key (workspace, lead_id) references core.lead (workspace, id),
  unique (workspace, id),
  constraint activity_period check (end_at >= start_at),
  constraint activity_done check ((status = 'done') = (completed_at is not null)),
  constraint activity_record check ((resource is null) = (record is null))
);
create index activity_by_created on core.activity (workspace, created_at, id) where deleted_at is null;
create index activity_by_due on core.activity (workspace, due_at, id) where deleted_at is null;
create index activity_by_start on core.activity (workspace, start_at, id) where deleted_at is null;
create index activity_by_status on core.activity (workspace, status, due_at, id) where deleted_at is null;
create index activity_of_owner on core.activity (workspace, owner, due_at, id) where deleted_at is null;
create index activity_of_team on core.activity (workspace, team, due_at, id) where deleted_at is null;
create index activity_of_account on core.activity (workspace, account_id, created_at, id) where account_id is not null;
create index activity_of_contact on core.activity (workspace, contact_id, created_at, id) where contact_id is not null;
create index activity_of_lead on core.activity (workspace, lead_id, created_at, id) where lead_id is not null;
create index activity_of_record on core.activity (workspace, record, created_at, id) where record is not null;
select core.protect('core.activity');

-- Every record an activity is on, whatever its kind: the timeline of a record is one range of `activity_link_recent`.
-- The activity's own references are kept here by a trigger; others may be added.
create table core.activity_link (
  workspace uuid not null references core.workspace (id) on delete cascade,
  activity_id uuid not null,
  resource text not null,
  record uuid not null,
  -- When it happened or will: the timeline's order.
  at timestamptz not null,
  primary key (workspace, activity_id, record),
  foreign key (workspace, activity_id) references core.activity (workspace, id) on delete cascade
);
create index activity_link_recent on core.activity_link (workspace, record, at desc, activity_id desc);
select core.protect('core.activity_link');

create function core.link_activity() returns trigger language plpgsql as $$
declare happens timestamptz := coalesce(new.completed_at, new.start_at, new.due_at, new.created_at);
begin
  if tg_op = 'UPDATE' then
    delete from core.activity_link l
    where l.workspace = new.workspace and l.activity_id = new.id
      and l.record in (old.account_id, old.contact_id, old.lead_id, old.record)
      and l.record not in (select kept from unnest(array[new.account_id, new.contact_id, new.lead_id, new.record]) kept where kept is not null);
    update core.activity_link l set at = happens where l.workspace = new.workspace and l.activity_id = new.id and l.at <> happens;
  end if;
  insert into core.activity_link (workspace, activity_id, resource, record, at)
  select new.workspace, new.id, link.resource, link.record, happens
  from (values ('core.account', new.account_id), ('core.contact', new.contact_id), ('core.lead', new.lead_id), (new.resource, new.record)) link (resource, record)
  where link.record is not null
  on conflict (workspace, activity_id, record) do nothing;
  return null;
end $$;
create trigger activity_links after insert or update of account_id, contact_id, lead_id, resource, record, completed_at, start_at, due_at
  on core.activity for each row execute function core.link_activity();

-- When an account was last dealt with and what comes next. Derived, like a generated column: neither a version nor a
-- line in the ledger, so that logging a call does not conflict with who edits the account meanwhile.
create function core.date_account() returns trigger language plpgsql as $$
begin
  update core.account a
  set last_activity_at = d.last_at, next_activity_at = d.next_at
  from (
    select w.id,
           max(t.completed_at) filter (where t.status = 'done') as last_at,
           min(coalesce(t.start_at, t.due_at)) filter (where t.status in ('planned', 'in_progress')) as next_at
    from (
      select distinct id from unnest(array[
        case when tg_op <> 'DELETE' then new.account_id end,
        case when tg_op <> 'INSERT' then old.account_id end]) id
      where id is not null
    ) w
    left join core.activity t on t.workspace = coalesce(new.workspace, old.workspace) and t.account_id = w.id and t.deleted_at is null
    group by w.id
    order by w.id
  ) d
  where a.id = d.id and a.workspace = coalesce(new.workspace, old.workspace)
    and (a.last_activity_at, a.next_activity_at) is distinct from (d.last_at, d.next_at);
  return null;
end $$;
create trigger activity_dates after insert or delete or update of account_id, status, completed_at, start_at, due_at, deleted_at
  on core.activity for each row execute function core.date_account();

-- Products ------------------------------------------------------------------------------------------------------------

create table core.product (
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
  sku text not null,
  name text not null check (btrim(name) <> ''),
  kind text not null default 'good' check (kind in ('good', 'service', 'subscription')),
  family text,
  description text,
  unit text not null default 'unit',
  price numeric(19, 4) check (price >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  tax_rate numeric(5, 2) not null default 0 check (tax_rate between 0 and 100),
  active boolean not null default true,
  unique (workspace, id)
);
create unique index product_sku on core.product (workspace, sku) where deleted_at is null;
create index product_by_name on core.product (workspace, name collate "und-x-icu", id) where deleted_at is null;
create index product_by_created on core.product (workspace, created_at, id) where deleted_at is null;
create index product_of_owner on core.product (workspace, owner, created_at, id) where deleted_at is null;
create index product_of_team on core.product (workspace, team, created_at, id) where deleted_at is null;
select core.protect('core.product');

-- Orders and invoices -------------------------------------------------------------------------------------------------

-- Checked at commit, when header and lines are both written: net equals the sum of the lines, where there are any.
-- Arguments: header table, lines table, column of the lines that names the header.
create function core.keep_lines_added_up() returns trigger language plpgsql as $$
declare
  head_id uuid;
  head_net numeric;
  lines_net numeric;
begin
  if tg_table_name = tg_argv[0] then
    head_id := new.id;
  elsif tg_op = 'DELETE' then
    head_id := (to_jsonb(old) ->> tg_argv[2])::uuid;
  else
    head_id := (to_jsonb(new) ->> tg_argv[2])::uuid;
  end if;
  execute format('select net from core.%I where id = $1', tg_argv[0]) into head_net using head_id;
  execute format('select sum(net) from core.%I where %I = $1 and workspace = $2 and deleted_at is null', tg_argv[1], tg_argv[2])
    into lines_net using head_id, case when tg_op = 'DELETE' then old.workspace else new.workspace end;
  if lines_net is not null and head_net is not null and lines_net <> head_net then
    raise exception '% % has net % and lines of %', tg_argv[0], head_id, head_net, lines_net
      using errcode = 'check_violation', constraint = tg_argv[0] || '_adds_up', table = tg_argv[0], schema = 'core';
  end if;
  return null;
end $$;

create table core."order" (
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
  number text not null,
  account_id uuid not null,
  contact_id uuid,
  status text not null default 'draft' check (status in ('draft', 'confirmed', 'in_fulfilment', 'fulfilled', 'cancelled')),
  ordered_on date,
  reference text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  net numeric(19, 4) not null default 0,
  tax numeric(19, 4) not null default 0,
  gross numeric(19, 4) not null default 0,
  source text,
  unique (workspace, id),
  unique (workspace, id, currency),
  foreign key (workspace, account_id) references core.account (workspace, id),
  foreign key (workspace, contact_id) references core.contact (workspace, id),
  constraint order_gross check (gross = net + tax)
);
create unique index order_number on core."order" (workspace, number);
create index order_by_created on core."order" (workspace, created_at, id) where deleted_at is null;
create index order_by_ordered_on on core."order" (workspace, ordered_on, id) where deleted_at is null;
create index order_by_status on core."order" (workspace, status, created_at, id) where deleted_at is null;
create index order_of_owner on core."order" (workspace, owner, created_at, id) where deleted_at is null;
create index order_of_team on core."order" (workspace, team, created_at, id) where deleted_at is null;
create index order_of_account on core."order" (workspace, account_id, created_at, id);
create index order_of_contact on core."order" (workspace, contact_id, id) where contact_id is not null;
select core.protect('core.order');

create table core.order_line (
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
  order_id uuid not null,
  position integer not null default 0,
  product_id uuid,
  name text not null check (btrim(name) <> ''),
  quantity numeric(15, 3) not null default 1,
  unit text,
  unit_price numeric(19, 4) not null,
  discount numeric(5, 2) not null default 0 check (discount between 0 and 100),
  tax_rate numeric(5, 2) not null default 0 check (tax_rate between 0 and 100),
  net numeric(19, 4) not null,
  currency text not null,
  constraint order_line_currency foreign key (workspace, order_id, currency) references core."order" (workspace, id, currency),
  foreign key (workspace, product_id) references core.product (workspace, id)
);
create index order_line_of_order on core.order_line (workspace, order_id, position, id);
create index order_line_of_product on core.order_line (workspace, product_id, id) where product_id is not null;
create index order_line_by_created on core.order_line (workspace, created_at, id) where deleted_at is null;
select core.protect('core.order_line');
create constraint trigger order_adds_up after insert or update of net on core."order"
  deferrable initially deferred for each row execute function core.keep_lines_added_up('order', 'order_line', 'order_id');
create constraint trigger order_adds_up after insert or update or delete on core.order_line
  deferrable initially deferred for each row execute function core.keep_lines_added_up('order', 'order_line', 'order_id');

create table core.invoice (
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
  number text not null,
  account_id uuid not null,
  contact_id uuid,
  order_id uuid,
  -- The invoice this one, a credit note, takes back.
  credit_of_id uuid,
  status text not null default 'draft' check (status in ('draft', 'issued', 'partly_paid', 'paid', 'cancelled')),
  issued_on date,
  due_on date,
  reference text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  net numeric(19, 4) not null default 0,
  tax numeric(19, 4) not null default 0,
  gross numeric(19, 4) not null default 0,
  paid numeric(19, 4) not null default 0,
  source text,
  unique (workspace, id),
  unique (workspace, id, currency),
  foreign key (workspace, account_id) references core.account (workspace, id),
  foreign key (workspace, contact_id) references core.contact (workspace, id),
  foreign key (workspace, order_id) references core."order" (workspace, id),
  foreign key (workspace, credit_of_id) references core.invoice (workspace, id),
  constraint invoice_gross check (gross = net + tax),
  constraint invoice_period check (due_on >= issued_on),
  constraint invoice_issued check (status = 'draft' or issued_on is not null)
);
create unique index invoice_number on core.invoice (workspace, number);
create unique index invoice_credit_of on core.invoice (workspace, credit_of_id) where deleted_at is null;
create index invoice_by_created on core.invoice (workspace, created_at, id) where deleted_at is null;
create index invoice_by_issued_on on core.invoice (workspace, issued_on, id) where deleted_at is null;
create index invoice_by_due_on on core.invoice (workspace, due_on, id) where deleted_at is null;
create index invoice_by_status on core.invoice (workspace, status, created_at, id) where deleted_at is null;
create index invoice_of_owner on core.invoice (workspace, owner, created_at, id) where deleted_at is null;
create index invoice_of_team on core.invoice (workspace, team, created_at, id) where deleted_at is null;
create index invoice_of_account on core.invoice (workspace, account_id, created_at, id);
create index invoice_of_contact on core.invoice (workspace, contact_id, id) where contact_id is not null;
create index invoice_of_order on core.invoice (workspace, order_id, id) where order_id is not null;
select core.protect('core.invoice');

create table core.invoice_line (
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
  invoice_id uuid not null,
  position integer not null default 0,
  product_id uuid,
  name text not null check (btrim(name) <> ''),
  quantity numeric(15, 3) not null default 1,
  unit text,
  unit_price numeric(19, 4) not null,
  discount numeric(5, 2) not null default 0 check (discount between 0 and 100),
  tax_rate numeric(5, 2) not null default 0 check (tax_rate between 0 and 100),
  net numeric(19, 4) not null,
  currency text not null,
  constraint invoice_line_currency foreign key (workspace, invoice_id, currency) references core.invoice (workspace, id, currency),
  foreign key (workspace, product_id) references core.product (workspace, id)
);
create index invoice_line_of_invoice on core.invoice_line (workspace, invoice_id, position, id);
create index invoice_line_of_product on core.invoice_line (workspace, product_id, id) where product_id is not null;
create index invoice_line_by_created on core.invoice_line (workspace, created_at, id) where deleted_at is null;
select core.protect('core.invoice_line');
create constraint trigger invoice_adds_up after insert or update of net on core.invoice
  deferrable initially deferred for each row execute function core.keep_lines_added_up('invoice', 'invoice_line', 'invoice_id');
create constraint trigger invoice_adds_up after insert or update or delete on core.invoice_line
  deferrable initially deferred for each row execute function core.keep_lines_added_up('invoice', 'invoice_line', 'invoice_id');

create table core.payment (
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
  invoice_id uuid not null,
  account_id uuid not null,
  amount numeric(19, 4) not null check (amount <> 0),
  currency text not null,
  paid_on date not null,
  method text not null default 'transfer' check (method in ('transfer', 'card', 'cheque', 'direct_debit', 'cash', 'other')),
  reference text,
  source text,
  constraint payment_currency foreign key (workspace, invoice_id, currency) references core.invoice (workspace, id, currency),
  foreign key (workspace, account_id) references core.account (workspace, id)
);
create index payment_by_created on core.payment (workspace, created_at, id) where deleted_at is null;
create index payment_by_paid_on on core.payment (workspace, paid_on, id) where deleted_at is null;
create index payment_of_invoice on core.payment (workspace, invoice_id, id);
create index payment_of_account on core.payment (workspace, account_id, created_at, id);
create index payment_of_owner on core.payment (workspace, owner, created_at, id) where deleted_at is null;
create index payment_of_team on core.payment (workspace, team, created_at, id) where deleted_at is null;
select core.protect('core.payment');
