-- What one write costs beside its row.

-- Whose row says in which workspace it is --------------------------------------------------------------------------------
-- A record and a change set's head name their workspace and are held to it. What is written beside them takes theirs, from the
-- session that row level security binds: to look it up again for each was a tenth of a write. See decision 0025.

alter table core.change
  drop constraint change_workspace_fkey,
  drop constraint change_change_set_fkey,
  add constraint change_change_set_fkey foreign key (change_set) references core.change_set (id) on delete cascade;
alter table core.event drop constraint event_workspace_fkey;
-- Ends with its event.
alter table core.delivery drop constraint delivery_workspace_fkey;
alter table core.ledger_pending drop constraint ledger_pending_workspace_fkey;
alter table core.ledger_seal drop constraint ledger_seal_workspace_fkey;
alter table core.search_document drop constraint search_document_workspace_fkey;
alter table core.search_word drop constraint search_word_workspace_fkey;
alter table core.search_near drop constraint search_near_workspace_fkey;
alter table core.duplicate_key drop constraint duplicate_key_workspace_fkey;
alter table core.duplicate_due drop constraint duplicate_due_workspace_fkey;
alter table core.duplicate_due no force row level security;

create function core.end_beside() returns trigger
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  delete from core.event where workspace = old.id;
  delete from core.ledger_pending where workspace = old.id;
  delete from core.ledger_seal where workspace = old.id;
  delete from core.search_document where workspace = old.id;
  delete from core.search_word where workspace = old.id;
  delete from core.search_near where workspace = old.id;
  delete from core.duplicate_key where workspace = old.id;
  delete from core.duplicate_due where workspace = old.id;
  return null;
end $$;
create trigger workspace_ends_beside after delete on core.workspace for each row execute function core.end_beside();

-- Search -------------------------------------------------------------------------------------------------------------------

-- As it was, but for the vocabulary, which is only written where a word is new to it: few records bring one.
create or replace function core.search_put(of_resource text, documents jsonb) returns void
  language plpgsql security definer set search_path = core, pg_temp set enable_seqscan = off as $$
declare
  is_internal constant boolean := core.is_internal();
  refused uuid;
  fresh text[];
begin
  -- The owner's rights end at both walls too: a partner session puts, and takes over, documents of what it may write.
  -- What a share opened stays the house's to find.
  if not is_internal then
    select g.record into refused
    from jsonb_to_recordset(documents) as g (record uuid, reader uuid, words text)
    where g.words is not null and (case when g.reader is null then g.record = any (core.shared_records(of_resource, 'write'))
      else g.reader = any (core.current_readers()) end) is not true
    limit 1;
    if refused is not null then
      raise exception 'a partner session may not have % % found', of_resource, refused using errcode = 'insufficient_privilege';
    end if;
  end if;
  with given as materialized (
    select g.record, g.owner, g.team, g.reader, g.title,
      setweight(core.search_words(g.title), 'A') || setweight(core.search_words(g.words), 'C')
        || setweight(core.search_words(coalesce(g.pointed, '')), 'D')
        || case when g.keeps then coalesce((
          select ts_filter(o.words, '{d}') from core.search_document o
          where o.workspace = core.current_workspace() and o.record = g.record and o.resource = of_resource), '') else '' end as found
    from jsonb_to_recordset(documents) as g (record uuid, owner uuid, team uuid, reader uuid, title text, words text, pointed text, keeps boolean)
    where g.words is not null),
  put as (
    insert into core.search_document as d (workspace, resource, record, owner, team, reader, title, words)
    select core.current_workspace(), of_resource, g.record, g.owner, g.team, g.reader, g.title, g.found from given g
    on conflict (workspace, record, resource) do update
      set owner = excluded.owner, team = excluded.team, reader = excluded.reader, title = excluded.title, words = excluded.words
      where is_internal or d.reader = any (core.current_readers())
        or (d.reader is null and excluded.reader is null and d.record = any (core.shared_records(of_resource, 'write'))))
  select array_agg(distinct w.word) into fresh
  from given g cross join unnest(tsvector_to_array(g.found)) as w (word)
  -- Not "not exists": as a join it may read all words for each document.
  where core.search_is_word(w.word)
    and (select true from core.search_word k where k.workspace = core.current_workspace() and k.word = w.word limit 1) is null;
  if fresh is null then return; end if;
  insert into core.search_word (workspace, word) select core.current_workspace(), word from unnest(fresh) as word;
  insert into core.search_near (workspace, form, word)
  select core.current_workspace(), f.form, word from unnest(fresh) as word cross join lateral core.search_forms(word) as f (form);
end $$;

-- Duplicates ---------------------------------------------------------------------------------------------------------------

-- Sorting the pieces of a name in was most of what its keys cost. Some hundreds wait for it together now, few enough for those
-- who look for close spellings, as the least of creates do, to walk them: a tenth of a millisecond.
alter index core.duplicate_key_near set (fastupdate = on, gin_pending_list_limit = 64);

-- As it was, in one statement.
create or replace function core.duplicate_put(of_resource text, records jsonb) returns void
  language plpgsql security definer set search_path = core, public, pg_temp set enable_seqscan = off as $$
declare
  refused uuid;
begin
  -- Of a record opened by a share the keys stay the house's, and nobody gives some to a record that has others' already.
  if not core.is_internal() then
    select g.record into refused
    from jsonb_to_recordset(records) as g (record uuid, reader uuid, keys jsonb)
    where g.keys is not null and (case when g.reader is null then g.record = any (core.shared_records(of_resource, 'write'))
      else g.reader = any (core.current_readers()) and not exists (
        select from core.duplicate_key k
        where k.record = g.record and k.resource is not distinct from of_resource and k.workspace is not distinct from core.current_workspace()
          and coalesce(k.reader <> all (core.current_readers()), true)) end) is not true
    limit 1;
    if refused is not null then
      raise exception 'a partner session may not give keys to % %', of_resource, refused using errcode = 'insufficient_privilege';
    end if;
  end if;
  with given as materialized (
    select g.record, g.reader, g.keys from jsonb_to_recordset(records) as g (record uuid, reader uuid, keys jsonb) where g.keys is not null),
  -- Keys are made and removed, never changed, and their record is held by whoever writes it: they stay where they were found.
  gone as (
    delete from core.duplicate_key where ctid = any (array(
      select had.place from given g cross join lateral (
        select k.ctid as place from core.duplicate_key k
        where k.record = g.record and k.resource is not distinct from of_resource and k.workspace is not distinct from core.current_workspace()
        offset 0) had))),
  put as (
    insert into core.duplicate_key (workspace, resource, record, kind, value, near, reader)
    select core.current_workspace(), of_resource, g.record, f.kind, f.value, f.near, g.reader
    from given g cross join lateral core.duplicate_forms(g.keys) f)
  insert into core.duplicate_due (workspace, resource, record) select core.current_workspace(), of_resource, g.record from given g
  on conflict do nothing;
end $$;

-- As it was, but for the first look: most of what is asked about has nothing in common with any.
create or replace function core.duplicate_find(of_resource text, keys jsonb, at_most integer, alike real)
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
  if not keys @> '[{"finds": "close"}]' and not exists (
    select from core.duplicate_forms(jsonb_path_query_array(keys, '$[*] ? (exists (@.finds))')) w
    where (
      select true from core.duplicate_key d
      where d.workspace = core.current_workspace() and d.resource = of_resource and d.kind = w.kind and d.value = w.value
        and (readers is null or d.reader = any (readers)) limit 1))
  then return; end if;
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

-- Ledger -------------------------------------------------------------------------------------------------------------------

-- As it was, but for the rows of the chain, which are written together.
create or replace function core.seal_ledger(in_workspace uuid, at_most integer, wait boolean) returns integer
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  place bigint;
  link bytea;
  head core.change_set;
  links bytea[] := '{}';
  sets uuid[] := '{}';
  instants timestamptz[] := '{}';
begin
  if wait then perform pg_advisory_xact_lock(hashtextextended('core.ledger ' || in_workspace, 2));
  elsif not pg_try_advisory_xact_lock(hashtextextended('core.ledger ' || in_workspace, 2)) then return 0;
  end if;
  select s.position, s.hash into place, link from core.ledger_seal s where s.workspace = in_workspace order by s.position desc limit 1;
  if not found then
    select c.position, c.hash into place, link from core.ledger_checkpoint c where c.workspace = in_workspace;
  end if;
  place := coalesce(place, 0);
  links := array[coalesce(link, sha256(convert_to(in_workspace::text, 'UTF8')))];
  for head in
    select s.* from core.ledger_pending p
    join core.change_set s on s.id = p.change_set
    left join core.job j on j.id = p.job
    -- A job's last change commits before its end does, and none after it.
    where p.workspace = in_workspace and (j.id is null or j.state not in ('queued', 'running', 'paused'))
    order by s.at, s.id limit at_most
  loop
    sets := sets || head.id;
    instants := instants || head.at;
    links := links || sha256(links[cardinality(links)] || core.ledger_digest(head));
  end loop;
  insert into core.ledger_seal (workspace, position, change_set, at, prev_hash, hash)
    select in_workspace, place + nth, sets[nth], instants[nth], links[nth], links[nth + 1] from generate_subscripts(sets, 1) as nth;
  delete from core.ledger_pending p where p.workspace = in_workspace and p.change_set = any (sets);
  return cardinality(sets);
end $$;
