-- The ledger can prove that nobody rewrote it, is read as of an instant, and is written by work of many transactions.

-- Salted digests ---------------------------------------------------------------------------------------------------
-- The chain stands on digests of salted values, not on values: erasing value and salt leaves the chain whole and the
-- value beyond guessing. The database makes them, so that no writer can forget them or make them up.

alter table core.change_set add column salt bytea, add column digest bytea, add column job uuid;
alter table core.change add column salt bytea, add column digest bytea;

-- What a head says in words: the name of who acted, and why.
create function core.digest_of(head core.change_set) returns bytea
  language sql stable
  as $$ select sha256(head.salt || convert_to(jsonb_build_array(head.actor_name, head.reason)::text, 'UTF8')) $$;

create function core.digest_of(entry core.change) returns bytea
  language sql stable
  as $$ select sha256(entry.salt || convert_to(entry.fields::text, 'UTF8')) $$;

alter table core.change_set disable trigger ledger_is_append_only;
alter table core.change disable trigger ledger_is_append_only;
update core.change_set s set salt = uuid_send(gen_random_uuid());
update core.change_set s set digest = core.digest_of(s);
update core.change c set salt = uuid_send(gen_random_uuid());
update core.change c set digest = core.digest_of(c);
alter table core.change_set enable trigger ledger_is_append_only;
alter table core.change enable trigger ledger_is_append_only;
alter table core.change_set alter column digest set not null;
alter table core.change alter column digest set not null;

create function core.salt_ledger() returns trigger language plpgsql as $$
begin
  new.salt := uuid_send(gen_random_uuid());
  -- Written out here: calling `digest_of` would cost every change another third.
  if tg_table_name = 'change' then
    new.digest := sha256(new.salt || convert_to(new.fields::text, 'UTF8'));
  else
    new.digest := sha256(new.salt || convert_to(jsonb_build_array(new.actor_name, new.reason)::text, 'UTF8'));
  end if;
  return new;
end $$;
create trigger ledger_is_salted before insert on core.change_set for each row execute function core.salt_ledger();
create trigger ledger_is_salted before insert on core.change for each row execute function core.salt_ledger();

-- Append-only --------------------------------------------------------------------------------------------------------
-- What may happen to a row once it is written: its values and salt are blanked by an erasure, digests stay; it goes with
-- its workspace; and it is older than the workspace keeps.

create or replace function core.refuse_rewriting() returns trigger language plpgsql as $$
declare
  was jsonb := to_jsonb(old);
  becomes jsonb;
begin
  if tg_op = 'DELETE' then
    if current_setting('app.ledger_retention', true) = 'on' or not exists (select from core.workspace w where w.id = old.workspace)
    then return old; end if;
  else
    becomes := to_jsonb(new);
    if tg_table_name = 'change' and becomes = was || '{"fields": {}, "salt": null}' then return new; end if;
    if tg_table_name = 'change_set' and becomes = was || '{"actor_name": "", "reason": null, "salt": null}' then return new; end if;
  end if;
  raise exception 'the ledger is append-only' using errcode = 'restrict_violation';
end $$;
drop trigger ledger_is_append_only on core.change_set;
drop trigger ledger_is_append_only on core.change;
create trigger ledger_is_append_only before update or delete on core.change_set for each row execute function core.refuse_rewriting();
create trigger ledger_is_append_only before update or delete on core.change for each row execute function core.refuse_rewriting();

create function core.refuse_truncation() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only' using errcode = 'restrict_violation';
end $$;
create trigger ledger_is_not_emptied before truncate on core.change_set execute function core.refuse_truncation();
create trigger ledger_is_not_emptied before truncate on core.change execute function core.refuse_truncation();

-- The chain ------------------------------------------------------------------------------------------------------------

-- Change sets that no seal holds yet, written in the transaction of their head. A set of work in many transactions waits
-- until its job is over.
create table core.ledger_pending (
  workspace uuid not null references core.workspace (id) on delete cascade,
  change_set uuid not null,
  job uuid,
  primary key (workspace, change_set)
);
select core.protect('core.ledger_pending', 'select');
alter table core.ledger_pending set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

create table core.ledger_seal (
  workspace uuid not null references core.workspace (id) on delete cascade,
  position bigint not null,
  change_set uuid not null,
  -- The set's own instant; retention cuts by it.
  at timestamptz not null,
  prev_hash bytea not null,
  hash bytea not null,
  primary key (workspace, position)
);
create unique index ledger_seal_of on core.ledger_seal (workspace, change_set);
create index ledger_seal_at on core.ledger_seal (workspace, at);
select core.protect('core.ledger_seal', 'select');
create trigger ledger_is_append_only before update on core.ledger_seal for each row execute function core.refuse_rewriting();
create trigger ledger_is_not_emptied before truncate on core.ledger_seal execute function core.refuse_truncation();

-- Where the chain begins after retention took what lay before.
create table core.ledger_checkpoint (
  workspace uuid primary key references core.workspace (id) on delete cascade,
  position bigint not null,
  hash bytea not null,
  change_sets bigint not null,
  -- Everything up to this instant may be gone.
  until timestamptz not null
);
select core.protect('core.ledger_checkpoint', 'select');

-- The tables' owner works across workspaces, forced row level security would blind it where it is not a superuser.
alter table core.ledger_pending no force row level security;
alter table core.ledger_seal no force row level security;
alter table core.ledger_checkpoint no force row level security;
alter table core.change_set no force row level security;
alter table core.change no force row level security;

create function core.await_seal() returns trigger language plpgsql security definer set search_path = core, pg_temp as $$
begin
  insert into core.ledger_pending (workspace, change_set, job) values (new.workspace, new.id, new.job);
  return null;
end $$;
create trigger ledger_awaits_seal after insert on core.change_set for each row execute function core.await_seal();
insert into core.ledger_pending (workspace, change_set) select workspace, id from core.change_set;

-- A change set with all its changes in 32 bytes: everything as it is but what an erasure may blank, which is there as digest.
create function core.ledger_digest(of_set core.change_set) returns bytea
  language sql stable
  as $$
  select sha256(convert_to(jsonb_build_array(of_set.id, of_set.workspace, of_set.actor_type, of_set.actor_id, of_set.origin,
      of_set.request, of_set.undo_of, of_set.job, (extract(epoch from of_set.at) * 1000000)::bigint, encode(of_set.digest, 'hex'))::text, 'UTF8')
    || coalesce((
      select string_agg(sha256(convert_to(jsonb_build_array(c.id, c.resource, c.record, c.action, c.version, c.acknowledged,
        (extract(epoch from c.at) * 1000000)::bigint, encode(c.digest, 'hex'))::text, 'UTF8')), ''::bytea order by c.id)
      from core.change c where c.workspace = of_set.workspace and c.change_set = of_set.id), ''))
  $$;

-- Chains what waits, in an order of its own: a transaction that commits late is sealed late, and no sooner read than done.
-- One sealer per workspace at a time; whoever comes second leaves it to the first, unless told to wait.
create function core.seal_ledger(in_workspace uuid, at_most integer, wait boolean) returns integer
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  place bigint;
  link bytea;
  next_link bytea;
  head core.change_set;
  sealed integer := 0;
begin
  if wait then perform pg_advisory_xact_lock(hashtextextended('core.ledger ' || in_workspace, 2));
  elsif not pg_try_advisory_xact_lock(hashtextextended('core.ledger ' || in_workspace, 2)) then return 0;
  end if;
  select s.position, s.hash into place, link from core.ledger_seal s where s.workspace = in_workspace order by s.position desc limit 1;
  if not found then
    select c.position, c.hash into place, link from core.ledger_checkpoint c where c.workspace = in_workspace;
  end if;
  place := coalesce(place, 0);
  link := coalesce(link, sha256(convert_to(in_workspace::text, 'UTF8')));
  for head in
    select s.* from core.ledger_pending p
    join core.change_set s on s.id = p.change_set
    left join core.job j on j.id = p.job
    -- A job's last change commits before its end does, and none after it.
    where p.workspace = in_workspace and (j.id is null or j.state not in ('queued', 'running', 'paused'))
    order by s.at, s.id limit at_most
  loop
    place := place + 1;
    next_link := sha256(link || core.ledger_digest(head));
    insert into core.ledger_seal (workspace, position, change_set, at, prev_hash, hash)
    values (in_workspace, place, head.id, head.at, link, next_link);
    delete from core.ledger_pending where workspace = in_workspace and change_set = head.id;
    link := next_link;
    sealed := sealed + 1;
  end loop;
  return sealed;
end $$;

-- Walks a part of the chain anew. `values_kept` is false where a change holds other values than it was written with.
create function core.verify_ledger(in_workspace uuid, after_position bigint, at_most integer)
  returns table (place bigint, change_set uuid, is_there boolean, is_linked boolean, is_intact boolean, values_kept boolean,
    changes bigint, erased bigint, hash bytea, at timestamptz)
  language sql stable
  as $$
  select s.position, s.change_set, h.id is not null,
    s.prev_hash = coalesce(before.hash, c.hash, sha256(convert_to(in_workspace::text, 'UTF8')))
      and (before.position is not null or s.position = coalesce(c.position, 0) + 1),
    s.hash = sha256(s.prev_hash || coalesce(core.ledger_digest(h), '')),
    coalesce((h.salt is null or h.digest = core.digest_of(h)) and entries.kept, true),
    coalesce(entries.n, 0), coalesce(entries.erased, 0), s.hash, s.at
  from core.ledger_seal s
  left join core.ledger_seal before on before.workspace = s.workspace and before.position = s.position - 1
  left join core.ledger_checkpoint c on c.workspace = s.workspace
  left join core.change_set h on h.workspace = s.workspace and h.id = s.change_set
  left join lateral (
    select count(*) as n, count(*) filter (where e.salt is null) as erased,
      bool_and(e.salt is null or e.digest = core.digest_of(e)) as kept
    from core.change e where e.workspace = s.workspace and e.change_set = s.change_set) entries on true
  where s.workspace = in_workspace and s.position > after_position
  order by s.position limit at_most
  $$;

-- Takes away what is older than the workspace keeps: a prefix of the chain, so that what is left still hangs on its checkpoint.
create function core.trim_ledger(in_workspace uuid, before timestamptz, at_most integer) returns integer
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  last bigint;
  first bigint;
  removed integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('core.ledger ' || in_workspace, 2));
  select min(s.position) into first from core.ledger_seal s where s.workspace = in_workspace;
  select coalesce(min(s.position) - 1, (select max(t.position) from core.ledger_seal t where t.workspace = in_workspace)) into last
    from core.ledger_seal s where s.workspace = in_workspace and s.at >= before;
  last := least(last, first + at_most - 1);
  if last is null or last < first then return 0; end if;
  insert into core.ledger_checkpoint (workspace, position, hash, change_sets, until)
    select in_workspace, s.position, s.hash, last - first + 1, before from core.ledger_seal s where s.workspace = in_workspace and s.position = last
    on conflict (workspace) do update set position = excluded.position, hash = excluded.hash, until = excluded.until,
      change_sets = ledger_checkpoint.change_sets + excluded.change_sets;
  perform set_config('app.ledger_retention', 'on', true);
  delete from core.change c using core.ledger_seal s
    where s.workspace = in_workspace and s.position <= last and c.workspace = in_workspace and c.change_set = s.change_set;
  delete from core.change_set h using core.ledger_seal s where s.workspace = in_workspace and s.position <= last and h.id = s.change_set;
  delete from core.ledger_seal s where s.workspace = in_workspace and s.position <= last;
  get diagnostics removed = row_count;
  perform set_config('app.ledger_retention', 'off', true);
  return removed;
end $$;

revoke all on function core.seal_ledger, core.trim_ledger from public;

-- The past: which records of a resource changed since an instant.
create index change_since on core.change (workspace, resource, at);

-- Bulk work ----------------------------------------------------------------------------------------------------------
-- Which rows a bulk change is for, each at the version its preview saw, and what became of each. A row's end commits
-- with its change.

create table core.bulk (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  -- Empty for the undoing of a change set, which may hold several.
  resource text,
  action text not null check (action in ('update', 'delete', 'restore', 'undo')),
  request jsonb not null,
  actor_type text not null,
  actor_id uuid,
  -- The last run, and the change set it writes.
  job uuid,
  change_set uuid,
  created_at timestamptz not null
);
create index bulk_recent on core.bulk (workspace, created_at desc, id desc);
-- The wall asks whose it is for every row of a partner's person.
create index bulk_actor on core.bulk (workspace, actor_id);
select core.protect('core.bulk', 'select, insert, update, delete', 'person', 'actor_id');

create table core.bulk_row (
  workspace uuid not null references core.workspace (id) on delete cascade,
  bulk uuid not null references core.bulk (id) on delete cascade,
  nth integer not null,
  record uuid not null,
  version integer not null,
  -- For an undo: the change that is taken back.
  change uuid,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'skipped', 'failed')),
  problem jsonb,
  primary key (workspace, bulk, nth)
);
create index bulk_row_state on core.bulk_row (workspace, bulk, state, nth);
select core.protect('core.bulk_row', 'select, insert, update, delete', 'part', 'bulk core.bulk id');
