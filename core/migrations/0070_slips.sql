-- Two letters that changed places are a close spelling however long the name, and a legal form in which they did is one still.

-- A name as `core.name_norm` has it, less a mistyped legal form. Only what is no word and no name of its own: PSA, LCL and CSI are.
create function core.name_known_by(value text) returns text
  language plpgsql immutable parallel safe strict as $$
declare
  norm constant text := core.name_norm(value);
begin
  return coalesce(nullif(btrim(regexp_replace(norm,
    '(^| )(asrl|sral|salr|ssa|ass|ssau|saus|uerl|erul|eulr|aerl|eral|ealr|socp|scpo|eslarl|slearl|sealrl|selral|selalr|eslas|sleas|selsa|mgbh|gbmh|gmhb|osciete|scoiete|soicete|soceite|socitee)(?= |$)',
    '', 'g')), ''), norm);
end $$;

create function core.letters_swapped(one text, other text) returns boolean
  language sql immutable parallel safe as $$
  select length(one) = length(other) and exists (
    select from generate_series(1, length(one) - 1) letter
    where overlay(one placing reverse(substr(one, letter, 2)) from letter for 2) = other)
$$;

-- As it was, but for mistyped legal forms; and a name too long to be looked for less each of its letters has one key more, its
-- letters in order, which stay the same wherever two change places.
create or replace function core.duplicate_forms(keys jsonb)
  returns table (probe integer, kind text, value text, near boolean, finds text)
  language sql immutable parallel safe as $$
  with given as (
    select coalesce(k.probe, 0) as probe, k.kind, left(case when k.near then core.name_known_by(k.value) else k.value end, 120) as value,
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
  union
  select g.probe, g.kind || '~~', (
      select string_agg(letter, '' order by letter collate "C") from string_to_table(g.value, null) letter where letter <> ' '),
    false, case when g.finds is not null then 'equal' end
  from given g where g.near and length(g.value) > 10
$$;

-- As it was, but that a name with two letters in each other's place is close.
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
    max(case when w.kind like '%~' then 1 - 1.0 / (length(w.value) + 1) when d.value = w.value then 1
      when core.letters_swapped(d.value, w.value) then 1 - 1.0 / length(w.value) else similarity(d.value, w.value) end)::real
  from kept d
  join wanted w on w.probe = d.probe and w.kind = d.kind and (d.value = w.value
    or w.near and d.near and length(w.value) > 7 and d.digits = w.digits
      and (similarity(d.value, w.value) >= 0.5 or core.letters_swapped(d.value, w.value)))
  -- The same letters in order only find: Marion and Romain are two.
  where w.kind not like '%~~'
  group by 1, 2, 3;
end $$;
