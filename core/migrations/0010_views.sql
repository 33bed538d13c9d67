-- Saved views of lists, and search that forgives a slip of the finger.

-- Views ---------------------------------------------------------------------------------------------------------------

-- How somebody wants to see a list: which rows, in which order, drawn how. Private, shared, or what a role starts with.
create table core.view (
  id uuid primary key,
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
  resource text not null,
  name text not null check (name <> ''),
  kind text not null default 'table' check (kind in ('table', 'kanban', 'calendar')),
  scope text not null default 'mine' check (scope in ('mine', 'shared', 'role')),
  role_id uuid references core.role (id) on delete cascade,
  filter text,
  q text,
  sort text,
  -- [{ field, width? }], in their order
  columns jsonb,
  group_by text,
  card jsonb,
  sums jsonb,
  start_field text,
  end_field text,
  density text not null default 'normal' check (density in ('compact', 'normal', 'comfortable')),
  position integer not null default 0,
  check ((scope = 'role') = (role_id is not null))
);
create index view_of_owner on core.view (workspace, owner) where deleted_at is null;
create index view_shared on core.view (workspace, scope, role_id) where deleted_at is null and scope <> 'mine';
-- A role starts with one view of a resource.
create unique index view_role on core.view (workspace, resource, role_id) where deleted_at is null and scope = 'role';
select core.protect('core.view', 'select, insert, update, delete', 'person', 'owner');

-- What one person does with a view, own or shared: starts with it, keeps it in the sidebar.
create table core.view_choice (
  workspace uuid not null references core.workspace (id) on delete cascade,
  user_id uuid not null,
  view uuid not null references core.view (id) on delete cascade,
  resource text not null,
  is_default boolean not null default false,
  is_pinned boolean not null default false,
  position integer not null default 0,
  primary key (workspace, user_id, view),
  foreign key (workspace, user_id) references core.member (workspace, id) on delete cascade
);
create unique index view_choice_default on core.view_choice (workspace, user_id, resource) where is_default;
create index view_choice_of_view on core.view_choice (view);
select core.protect('core.view_choice', 'select, insert, update, delete', 'person', 'user_id');

-- Search ----------------------------------------------------------------------------------------------------------------

-- Words as they are searched: without accents and case, split at every sign, so that an address is found by its parts.
create function core.search_words(value text) returns tsvector
  language sql immutable parallel safe
  as $$ select to_tsvector('simple', regexp_replace(core.fold(coalesce(value, '')), '[[:punct:]]+', ' ', 'g')) $$;

-- Every word that stands in a document of the workspace, and the same with one letter left out. A word that was mistyped
-- shares such a form with the one that was meant (symmetric deletion), so a typo is found by equality on an index.
-- Without unique keys: two transactions that bring the same new word must not wait for each other.
create table core.search_word (
  workspace uuid not null references core.workspace (id) on delete cascade,
  word text not null
);
create index search_word_word on core.search_word (workspace, word);
create index search_word_parts on core.search_word using gin (word public.gin_trgm_ops);
alter table core.search_word enable row level security;

create table core.search_near (
  workspace uuid not null references core.workspace (id) on delete cascade,
  form text not null,
  word text not null
);
create index search_near_form on core.search_near (workspace, form) include (word);
create index search_near_word on core.search_near (workspace, word);
alter table core.search_near enable row level security;

-- Only whole words of letters are worth a second look: a number with another digit is another number.
create function core.search_is_word(value text) returns boolean
  language sql immutable parallel safe strict
  as $$ select length(value) between 4 and 32 and value !~ '[[:digit:][:punct:][:space:]]' $$;

create function core.search_forms(word text) returns setof text
  language sql immutable parallel safe strict
  as $$ select word union select left(word, i - 1) || substr(word, i + 1) from generate_series(1, length(word)) as i $$;

-- True when at most one letter was added, left out, changed or swapped with its neighbour (Damerau 1964, Levenshtein 1966):
-- where they first differ, one of the four explains all that follows.
create function core.search_is_near(a text, b text) returns boolean
  language plpgsql immutable parallel safe strict
  as $$
declare i integer := 0;
begin
  while i < length(a) and i < length(b) and substr(a, i + 1, 1) = substr(b, i + 1, 1) loop i := i + 1; end loop;
  return substr(a, i + 2) = substr(b, i + 2)
    or substr(a, i + 1) = substr(b, i + 2)
    or substr(a, i + 2) = substr(b, i + 1)
    or (substr(a, i + 1, 1) = substr(b, i + 2, 1) and substr(a, i + 2, 1) = substr(b, i + 1, 1) and substr(a, i + 3) = substr(b, i + 3));
end $$;

-- Takes the words of a document into the vocabulary; costs one index probe for each that is known.
create function core.search_learn(of_words tsvector) returns void
  language plpgsql security definer set search_path = core, pg_temp set enable_seqscan = off as $$
begin
  with fresh as (
    insert into core.search_word (workspace, word)
    select core.current_workspace(), w.word from unnest(tsvector_to_array(of_words)) as w (word)
    where core.search_is_word(w.word)
      -- Not "not exists": as a join it may read all words for each document.
      and (select true from core.search_word k where k.workspace = core.current_workspace() and k.word = w.word limit 1) is null
    returning word)
  insert into core.search_near (workspace, form, word)
  select core.current_workspace(), f.form, fresh.word from fresh cross join lateral core.search_forms(fresh.word) as f (form);
end $$;

-- Searches walk the entries that wait to be sorted into this index: few of them.
alter index core.search_words set (gin_pending_list_limit = 256);

create or replace function core.search_put(of_resource text, of_record uuid, of_owner uuid, of_team uuid, of_reader uuid, of_title text, of_body text) returns void
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  found tsvector := setweight(core.search_words(of_title), 'A') || setweight(core.search_words(of_body), 'C');
  is_internal constant boolean := core.is_internal();
begin
  -- The owner's rights end at both walls too: a partner session puts, and takes over, documents of what it may write.
  -- What a share opened stays the house's to find.
  if not is_internal and not (case when of_reader is null then of_record = any (core.shared_records(of_resource, 'write'))
    else of_reader = any (core.current_readers()) end) then
    raise exception 'a partner session may not have % % found', of_resource, of_record using errcode = 'insufficient_privilege';
  end if;
  insert into core.search_document as d (workspace, resource, record, owner, team, reader, title, words)
  values (core.current_workspace(), of_resource, of_record, of_owner, of_team, of_reader, of_title, found)
  on conflict (workspace, record, resource) do update
    set owner = excluded.owner, team = excluded.team, reader = excluded.reader, title = excluded.title, words = excluded.words
    where is_internal or d.reader = any (core.current_readers())
      or (d.reader is null and excluded.reader is null and d.record = any (core.shared_records(of_resource, 'write')));
  perform core.search_learn(found);
end $$;

-- What a searched word may mean beyond the beginning of words: words it is a part of, and words one slip away. Never shown to
-- anybody: it only widens a query, whose documents are still those the reader may see.
create function core.search_meant(term text) returns setof text
  language plpgsql stable security definer set search_path = core, public, pg_temp set enable_seqscan = off as $$
begin
  return query
    (select distinct n.word from core.search_forms(term) as f (form)
      join core.search_near n on n.workspace = core.current_workspace() and n.form = f.form
      where core.search_is_word(term) and not starts_with(n.word, term) and core.search_is_near(term, n.word)
      limit 40)
    union
    -- "Not distinct" is said of what the index by workspace must not answer: it would read every word there is.
    (select w.word from core.search_word w
      where length(term) >= 3 and w.workspace is not distinct from core.current_workspace() and w.word like '%' || term || '%'
        and not starts_with(w.word, term)
      order by length(w.word), w.word limit 60);
end $$;

-- The query of some words: each begins a word of the document; loosely, it may also stand inside one or be mistyped.
-- With a weight only words of that weight count. Null where nothing can be found.
create function core.search_query(terms text[], weight text, loosely boolean) returns tsquery
  language plpgsql stable security definer set search_path = core, pg_temp as $$
declare
  term text;
  part text;
  whole text := '';
begin
  foreach term in array terms loop
    term := regexp_replace(core.fold(term), '[[:punct:][:space:]]+', '', 'g');
    if term = '' then continue; end if;
    -- Parsed as a document's words are, for the parser divides some: 1e0c4606 is a number and what follows it.
    part := to_tsquery('simple', quote_literal(term) || ':*' || weight)::text;
    if part = '' then continue; end if;
    if loosely then
      select part || coalesce(string_agg(' | ' || quote_literal(m.word) || case weight when '' then '' else ':' || weight end, ''), '')
        into part from core.search_meant(term) as m (word);
    end if;
    whole := whole || case whole when '' then '' else ' & ' end || '(' || part || ')';
  end loop;
  return case whole when '' then null else whole::tsquery end;
end $$;

drop function core.search_find(text, text[], integer);

-- Best documents for some words, in this workspace. `open` names the resources whose every record the reader may see,
-- `shared` those of which only records owned by `reader` or of `teams`, `owned` those of which only records owned by
-- `reader`; of both kinds `given` are further records the reader may see. What is out of reach takes no place among the candidates. Where fewer than `few` hold the words as typed, what
-- they may have meant follows, if that is anything else; what was typed is then among it once more.
create function core.search_find(
    terms text[], weight text, loosely boolean, open text[], shared text[], owned text[], reader uuid, teams uuid[], given uuid[], at_most integer, few integer)
  returns table (resource text, record uuid, title text, rank real, typed boolean)
  language plpgsql stable security definer set search_path = core, pg_temp as $$
declare
  query tsquery := core.search_query(terms, weight, loosely);
  meant tsquery;
  found integer;
  -- A first letter or two stand in half of all documents: no more than these are weighed against each other.
  candidates constant integer := 5000;
  -- Null for the people of the house: they see what their reach says.
  readers constant uuid[] := case when core.is_internal() then null else core.current_readers() end;
  opened constant uuid[] := case when core.is_internal() then '{}' else core.shared_records(null, 'read') end;
begin
  loop
    return query
      select c.resource, c.record, c.title,
        (ts_rank(c.words, query) + case when core.fold(c.title) like core.fold(terms[1]) || '%' then 1 else 0 end)::real, meant is null
      from (
        select d.resource, d.record, d.title, d.words
        from core.search_document d
        where d.workspace = core.current_workspace() and d.words @@ query
          and (readers is null or d.reader = any (readers) or d.record = any (opened))
          and (d.resource = any (open)
            or (d.resource = any (shared) and (d.owner = search_find.reader or d.team = any (teams)))
            or (d.resource = any (owned) and d.owner = search_find.reader)
            or (d.record = any (given) and (d.resource = any (shared) or d.resource = any (owned))))
        limit candidates) c
      order by 4 desc, c.title, c.record
      limit at_most;
    get diagnostics found = row_count;
    exit when loosely or meant is not null or found >= few;
    meant := core.search_query(terms, weight, true);
    exit when meant is null or meant = query;
    query := meant;
  end loop;
end $$;

-- Ids of the documents of one resource, for the condition of a list, which adds its own permission.
create function core.search_ids(terms text[], weight text, loosely boolean, of_resource text, everything boolean, reader uuid, teams uuid[], given uuid[])
  returns setof uuid
  language plpgsql stable security definer set search_path = core, pg_temp as $$
declare
  query tsquery := core.search_query(terms, weight, loosely);
  readers constant uuid[] := case when core.is_internal() then null else core.current_readers() end;
  opened constant uuid[] := case when core.is_internal() then '{}' else core.shared_records(null, 'read') end;
begin
  return query
    select d.record from core.search_document d
    where d.workspace = core.current_workspace() and d.words @@ query and d.resource = of_resource
      and (readers is null or d.reader = any (readers) or d.record = any (opened))
      and (everything or d.owner = search_ids.reader or d.team = any (teams) or d.record = any (given))
    limit 10000;
end $$;

-- Forgets words no document holds any more, such as those of an erased person. Answers how many.
create function core.search_sweep() returns integer
  language sql security definer set search_path = core, pg_temp as $$
  -- Not by ts_stat: words that come in their order, as numbered addresses do, make a list of its tree, and each a walk along it.
  with held as materialized (
    select distinct w.word from core.search_document d cross join unnest(tsvector_to_array(d.words)) as w (word)
    where d.workspace = core.current_workspace() and core.search_is_word(w.word)),
  words as (
    delete from core.search_word w where w.workspace = core.current_workspace() and not exists (select from held where held.word = w.word)
    returning 1),
  forms as (
    delete from core.search_near n where n.workspace = core.current_workspace() and not exists (select from held where held.word = n.word)
    returning 1)
  select count(*)::integer from words
$$;

revoke all on function core.search_learn, core.search_meant, core.search_query, core.search_find, core.search_ids, core.search_sweep from public;
grant execute on function core.search_find, core.search_ids, core.search_sweep to socle_app;

-- Documents of before: their words split at signs, and taken into the vocabulary.
update core.search_document
  set words = words || setweight(core.search_words(array_to_string(tsvector_to_array(words), ' ')), 'C')
  where array_to_string(tsvector_to_array(words), ' ') ~ '[[:punct:]]';
insert into core.search_word (workspace, word)
  select distinct d.workspace, w.word from core.search_document d cross join unnest(tsvector_to_array(d.words)) as w (word)
  where core.search_is_word(w.word);
insert into core.search_near (workspace, form, word)
  select w.workspace, f.form, w.word from core.search_word w cross join lateral core.search_forms(w.word) as f (form);
