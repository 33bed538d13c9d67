-- Records that may be one and the same, and records that became one.

-- What makes two records suspect, in the form it is compared by. No grant at all to the application's role: the trigram
-- operator is not leakproof and would lose its index under row level security, so the table is reached only through
-- functions that filter by workspace themselves.
create table core.duplicate_key (
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  record uuid not null,
  -- `email`, `phone`, `name` …; `name~` is a short name less one letter.
  kind text not null,
  value text not null,
  -- Close spellings count too.
  near boolean not null,
  -- As in core.change.
  reader uuid,
  -- Branch 1 and branch 2 are two, however alike their names.
  digits text not null generated always as (regexp_replace(value, '[^0-9]', '', 'g')) stored
);
alter table core.duplicate_key enable row level security;
-- Each question has one index that can answer it. Where two begin alike, a plan made while the table was empty takes either,
-- and may then read every key of a resource for each record.
create index duplicate_key_value on core.duplicate_key (workspace, resource, kind, value);
create index duplicate_key_record on core.duplicate_key (record);
-- Every create looks here, so a list of entries that wait to be sorted in must not grow: each look would walk it.
create index duplicate_key_near on core.duplicate_key using gin (value public.gin_trgm_ops) with (fastupdate = off) where near;

-- Records whose keys changed since they were last compared with all others.
create table core.duplicate_due (
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  record uuid not null,
  primary key (workspace, resource, record)
);
select core.protect('core.duplicate_due');

-- Keys as they are kept and looked for. Names lose case, accents, punctuation and legal form; a short one is also looked
-- for by what it is less one letter, which two spellings one edit apart have in common (Mor and Fraenkel 1982).
create function core.duplicate_forms(keys jsonb)
  returns table (probe integer, kind text, value text, near boolean, finds text)
  language sql immutable parallel safe as $$
  with given as (
    select coalesce(k.probe, 0) as probe, k.kind, left(case when k.near then core.name_norm(k.value) else k.value end, 120) as value,
           coalesce(k.near, false) as near, k.finds
    from jsonb_to_recordset(keys) as k (probe integer, kind text, value text, near boolean, finds text)
  )
  select g.probe, g.kind, g.value, g.near, g.finds from given g where g.value <> ''
  union
  select g.probe, g.kind || '~', overlay(g.value placing '' from letter for 1), false, case when g.finds is not null then 'equal' end
  from given g cross join lateral generate_series(1, length(g.value)) letter
  -- Branch 1 and branch 2 are two: figures are not mistyped letters.
  where g.near and length(g.value) between 4 and 10 and substr(g.value, letter, 1) !~ '[0-9]'
  union
  select g.probe, g.kind || '~', g.value, false, case when g.finds is not null then 'equal' end from given g where g.near and length(g.value) between 4 and 10
$$;

-- In PL/pgSQL, whose plans are kept: a function in SQL is planned anew at every call. A plan made while the table was empty
-- would read all of it for each record, hence no sequential scans.
create function core.duplicate_put(of_resource text, of_record uuid, of_reader uuid, keys jsonb) returns void
  language plpgsql security definer set search_path = core, public, pg_temp set enable_seqscan = off as $$
begin
  -- Of a record opened by a share the keys stay the house's, and nobody gives some to a record that has others' already.
  if not core.is_internal() and not (case when of_reader is null then of_record = any (core.shared_records(of_resource, 'write'))
    else of_reader = any (core.current_readers()) and not exists (
      select from core.duplicate_key k
      where k.record = of_record and k.resource is not distinct from of_resource and k.workspace is not distinct from core.current_workspace()
        and coalesce(k.reader <> all (core.current_readers()), true)) end) then
    raise exception 'a partner session may not give keys to % %', of_resource, of_record using errcode = 'insufficient_privilege';
  end if;
  perform core.duplicate_drop(of_resource, of_record);
  insert into core.duplicate_key (workspace, resource, record, kind, value, near, reader)
  select distinct core.current_workspace(), of_resource, of_record, f.kind, f.value, f.near, of_reader from core.duplicate_forms(keys) f;
  insert into core.duplicate_due (workspace, resource, record) values (core.current_workspace(), of_resource, of_record)
  on conflict do nothing;
end $$;

create function core.duplicate_drop(of_resource text, of_record uuid) returns void
  language plpgsql security definer set search_path = core, public, pg_temp set enable_seqscan = off as $$
begin
  -- "Not distinct" is said of what the index by record must not be passed over for.
  delete from core.duplicate_key k
  where k.record = of_record and k.resource is not distinct from of_resource
    and k.workspace is not distinct from core.current_workspace()
    and (core.is_internal() or k.reader = any (core.current_readers()) or of_record = any (core.shared_records(of_resource, 'write')));
end $$;

-- The keys of kept records, to look for their like.
create function core.duplicate_keys(of_resource text, records uuid[]) returns table (record uuid, kind text, value text, near boolean)
  language sql stable security definer set search_path = core, public, pg_temp as $$
  select k.record, k.kind, k.value, k.near from core.duplicate_key k
  where k.record = any (records) and k.resource is not distinct from of_resource
    and k.workspace is not distinct from core.current_workspace()
    and (core.is_internal() or k.reader = any (core.current_readers()))
$$;

-- Records that have a key in common with what is asked for, and all they have in common; `probe` tells several questions
-- apart. How a value finds, says `finds`: by the 'equal' one; by 'close' spellings too, from the likeness `alike` on; by
-- 'few', if not too many have it in common; by close spellings where that is 'crowded'. Without it, the value is only looked
-- at for records that another one found. A value that hundreds have in common says little: `at_most` of them.
create function core.duplicate_find(of_resource text, keys jsonb, at_most integer, alike real)
  returns table (probe integer, kind text, record uuid, likeness real)
  language plpgsql stable security definer
  set search_path = core, public, pg_temp set pg_trgm.similarity_threshold = 0.5 set enable_seqscan = off as $$
#variable_conflict use_column
declare
  -- Null for the people of the house. A partner session must not learn that somebody else has a like one.
  readers constant uuid[] := case when core.is_internal() then null else core.current_readers() end;
  few constant integer := 200;
  crowded integer[] := '{}';
begin
  -- The index walks the rarer pieces of a name only: the more alike two must be, the fewer. The declaration above takes it back.
  perform set_config('pg_trgm.similarity_threshold', greatest(alike, 0.5)::text, true);
  if keys @> '[{"finds": "few"}]' then
    select coalesce(array_agg(w.probe), '{}') into crowded
    from core.duplicate_forms(keys) w
    where w.finds = 'few' and few < (select count(*) from (
      select from core.duplicate_key d
      where d.workspace = core.current_workspace() and d.resource = of_resource and d.kind = w.kind and d.value = w.value
        and (readers is null or d.reader = any (readers))
      limit few + 1) sharing);
  end if;
  return query
  with wanted as materialized (
    select f.*, regexp_replace(f.value, '[^0-9]', '', 'g') as digits from core.duplicate_forms(keys) f),
  seen as materialized (
    select w.probe, k.record
    from wanted w cross join lateral (
      select d.record from core.duplicate_key d
      where d.workspace = core.current_workspace() and d.resource = of_resource and d.kind = w.kind and d.value = w.value
        and (readers is null or d.reader = any (readers))
      limit case w.finds when 'few' then few else at_most end) k
    where case w.finds when 'few' then w.probe <> all (crowded) else w.finds is not null end
    union
    select w.probe, k.record
    from wanted w cross join lateral (
      select d.record, similarity(d.value, w.value) as likeness from core.duplicate_key d
      -- "Not distinct": the index by value would answer too, with every name there is.
      where d.workspace is not distinct from core.current_workspace() and d.resource is not distinct from of_resource
        and d.kind is not distinct from w.kind and d.near and d.value % w.value and d.value <> w.value and d.digits = w.digits
        and (readers is null or d.reader = any (readers))
      order by 2 desc limit at_most) k
    where (w.finds = 'close' or w.finds = 'crowded' and w.probe = any (crowded)) and length(w.value) > 7
  ),
  -- One record after the other, by its own index, whatever the planner thinks of their number; and then all at once with what
  -- is wanted, which would else be gone through for each.
  kept as materialized (
    select s.probe, s.record, d.*
    from seen s cross join lateral (
      select k.kind, k.value, k.near, k.digits from core.duplicate_key k
      where k.record = s.record and k.resource is not distinct from of_resource
        and k.workspace is not distinct from core.current_workspace()
        and (readers is null or k.reader = any (readers))
      offset 0) d
  )
  select d.probe, rtrim(w.kind, '~'), d.record,
    max(case when w.kind like '%~' then 1 - 1.0 / (length(w.value) + 1) when d.value = w.value then 1 else similarity(d.value, w.value) end)::real
  from kept d
  join wanted w on w.probe = d.probe and w.kind = d.kind and (d.value = w.value
    or w.near and d.near and length(w.value) > 7 and d.digits = w.digits and similarity(d.value, w.value) >= 0.5)
  group by 1, 2, 3;
end $$;

revoke all on function core.duplicate_put, core.duplicate_drop, core.duplicate_keys, core.duplicate_find from public;
grant execute on function core.duplicate_put, core.duplicate_drop, core.duplicate_keys, core.duplicate_find to socle_app;

-- What the scan found, and what somebody said about it: two records are one pair, whichever was met first.
create table core.duplicate_pair (
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  a uuid not null,
  b uuid not null,
  score integer not null check (score between 0 and 100),
  -- [{ kind, likeness }]
  reasons jsonb not null,
  state text not null default 'open' check (state in ('open', 'dismissed')),
  found_at timestamptz not null,
  decided_at timestamptz,
  decided_by uuid,
  primary key (workspace, resource, a, b),
  constraint duplicate_pair_order check (a < b)
);
create index duplicate_pair_best on core.duplicate_pair (workspace, resource, state, score desc, a, b);
create index duplicate_pair_other on core.duplicate_pair (workspace, resource, b);
select core.protect('core.duplicate_pair');

-- How far the scan of a resource is: which declaration of keys its records were given, and up to which id.
create table core.duplicate_scan (
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  declared text not null,
  filled_up_to uuid,
  filled boolean not null default false,
  finished_at timestamptz,
  primary key (workspace, resource)
);
select core.protect('core.duplicate_scan');

-- Merges. What moved stands in the ledger, under the merge's change set; here is what the ledger does not hold.
create table core.merge_operation (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  survivor uuid not null,
  merged uuid[] not null,
  change_set uuid not null,
  -- { field: id of the record whose value was taken }
  chosen jsonb not null,
  -- [{ resource, field, count, folded }]
  moved jsonb not null,
  state text not null default 'done' check (state in ('done', 'undone')),
  at timestamptz not null,
  undone_by uuid,
  undone_at timestamptz
);
create index merge_operation_of_survivor on core.merge_operation (workspace, survivor, at desc);
create unique index merge_operation_change_set on core.merge_operation (workspace, change_set);
create index merge_operation_undone on core.merge_operation (workspace, undone_by) where undone_by is not null;
select core.protect('core.merge_operation', 'select, insert, update');

-- The records that a merge ended: who asks for one finds its survivor.
create table core.merged_record (
  workspace uuid not null references core.workspace (id) on delete cascade,
  resource text not null,
  record uuid not null,
  survivor uuid not null,
  merge uuid not null references core.merge_operation (id) on delete cascade,
  primary key (workspace, resource, record),
  constraint merged_into_another check (record <> survivor)
);
create index merged_record_of_survivor on core.merged_record (workspace, survivor);
create index merged_record_of_merge on core.merged_record (workspace, merge);
select core.protect('core.merged_record', 'select, insert, delete');

-- The survivor of a record, over several merges; null where it was not merged. Its owner's rights: a partner's record that
-- became one of the house must not come back beside it.
create function core.survivor_of(of_resource text, of_record uuid) returns uuid
  language sql stable security definer set search_path = core, pg_temp as $$
  with recursive way as (
    select m.survivor, 1 as step from core.merged_record m
    where m.workspace = core.current_workspace() and m.resource = of_resource and m.record = of_record
    union all
    select m.survivor, way.step + 1 from core.merged_record m join way on m.record = way.survivor
    where m.workspace = core.current_workspace() and m.resource = of_resource and way.step < 100
  )
  select survivor from way order by step desc limit 1
$$;
revoke all on function core.survivor_of from public;
grant execute on function core.survivor_of to socle_app;

-- Rows of tables that are no records, which a merge took along: where they were, to be found again.
create table core.merge_link (
  workspace uuid not null references core.workspace (id) on delete cascade,
  merge uuid not null references core.merge_operation (id) on delete cascade,
  -- `schema.table.column`
  place text not null,
  -- The row's key, but for the column that moved.
  key jsonb not null,
  was uuid not null,
  primary key (workspace, merge, place, key)
);
select core.protect('core.merge_link', 'select, insert, delete');

-- How an account came to its lifecycle goes on at the account it became.
grant update (account_id) on core.lifecycle_change to socle_app;

-- Checks now what is checked at the commit, so that its refusal can still be told as one.
create function core.check_deferred() returns void language plpgsql as $$
begin
  set constraints all immediate;
  set constraints all deferred;
end $$;
