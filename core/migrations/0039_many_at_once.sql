-- What is written beside a record, for many records in one call: each call of a function starts its statements anew, which
-- costs more than the rows it brings.

-- In PL/pgSQL, whose statements are kept for the session: a function in SQL that cannot be written into its caller is parsed
-- and planned in every statement that calls it, and these two stand in every write.
create or replace function core.fold(value text) returns text
  language plpgsql immutable parallel safe strict
  as $$ begin return lower(public.unaccent('public.unaccent'::regdictionary, value)); end $$;

create or replace function core.name_norm(value text) returns text
  language plpgsql immutable parallel safe strict
  as $$
declare
  folded constant text := core.fold(value);
begin
  return coalesce(nullif(btrim(regexp_replace(
    regexp_replace(
      replace(folded, '.', ''),
      '\m(sarl|sas|sasu|sa|eurl|earl|gaec|snc|sci|scop|scp|selarl|selas|gie|ei|ste|societe|ets|etablissements?|gmbh|ag|ltd|llc|inc|plc|bv|srl|spa)\M',
      ' ', 'g'),
    '[^[:alnum:]]+', ' ', 'g')), ''), btrim(folded));
end $$;

-- Not strict, so that they can be written into their caller; of null they are null and nothing all the same.
create or replace function core.search_is_word(value text) returns boolean
  language sql immutable parallel safe
  as $$ select length(value) between 4 and 32 and value !~ '[[:digit:][:punct:][:space:]]' $$;

create or replace function core.search_forms(word text) returns setof text
  language sql immutable parallel safe
  as $$ select word where word is not null union select left(word, i - 1) || substr(word, i + 1) from generate_series(1, length(word)) as i $$;

-- Words of a document that are those of a record it points at have a weight of their own, D. A session that may not read that
-- record, as a partner's may not its account, leaves those there are: it says only what it changes.

-- Has records found by their words, [{ record, owner, team, reader, title, words, pointed, keeps }], and takes the words into the
-- vocabulary; passes over what has no `words`. `keeps` leaves those of weight D that stand there.
create function core.search_put(of_resource text, documents jsonb) returns void
  language plpgsql security definer set search_path = core, pg_temp set enable_seqscan = off as $$
declare
  is_internal constant boolean := core.is_internal();
  refused uuid;
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
        or (d.reader is null and excluded.reader is null and d.record = any (core.shared_records(of_resource, 'write')))),
  fresh as (
    insert into core.search_word (workspace, word)
    select core.current_workspace(), w.word
    from (select distinct w.word from given g cross join unnest(tsvector_to_array(g.found)) as w (word) where core.search_is_word(w.word)) w
    -- Not "not exists": as a join it may read all words for each document.
    where (select true from core.search_word k where k.workspace = core.current_workspace() and k.word = w.word limit 1) is null
    returning word)
  insert into core.search_near (workspace, form, word)
  select core.current_workspace(), f.form, fresh.word from fresh cross join lateral core.search_forms(fresh.word) as f (form);
end $$;

create or replace function core.search_put(of_resource text, of_record uuid, of_owner uuid, of_team uuid, of_reader uuid, of_title text, of_body text) returns void
  language plpgsql as $$
begin
  perform core.search_put(of_resource, jsonb_build_array(jsonb_build_object(
    'record', of_record, 'owner', of_owner, 'team', of_team, 'reader', of_reader, 'title', of_title, 'words', coalesce(of_body, ''))));
end $$;
drop function core.search_learn(tsvector);

-- Gives records the keys by which their like are looked for, [{ record, reader, keys: [{ kind, value, near }] }], in place of
-- those they had; passes over what has no `keys`. A plan made while the table was empty would read all of it for each record,
-- hence no sequential scans, and one record after the other, by its own index.
create function core.duplicate_put(of_resource text, records jsonb) returns void
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
  -- Keys are made and removed, never changed, and their record is held by whoever writes it: they stay where they were found.
  delete from core.duplicate_key where ctid = any (array(
    select had.place from jsonb_to_recordset(records) as g (record uuid, keys jsonb) cross join lateral (
      select k.ctid as place from core.duplicate_key k
      where k.record = g.record and k.resource is not distinct from of_resource and k.workspace is not distinct from core.current_workspace()
      offset 0) had
    where g.keys is not null));
  insert into core.duplicate_key (workspace, resource, record, kind, value, near, reader)
  select core.current_workspace(), of_resource, g.record, f.kind, f.value, f.near, g.reader
  from jsonb_to_recordset(records) as g (record uuid, reader uuid, keys jsonb) cross join lateral core.duplicate_forms(g.keys) f
  where g.keys is not null;
  insert into core.duplicate_due (workspace, resource, record)
  select core.current_workspace(), of_resource, g.record from jsonb_to_recordset(records) as g (record uuid, keys jsonb) where g.keys is not null
  on conflict do nothing;
end $$;

create or replace function core.duplicate_put(of_resource text, of_record uuid, of_reader uuid, keys jsonb) returns void
  language plpgsql as $$
begin
  perform core.duplicate_put(of_resource, jsonb_build_array(jsonb_build_object('record', of_record, 'reader', of_reader, 'keys', coalesce(keys, '[]'))));
end $$;

revoke all on function core.search_put(text, jsonb), core.duplicate_put(text, jsonb) from public;
grant execute on function core.search_put(text, jsonb), core.duplicate_put(text, jsonb) to socle_app;
