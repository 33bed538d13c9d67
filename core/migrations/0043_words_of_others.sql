-- Words of a document that are those of a record it points at have a weight of their own, D. A session that may not read that
-- record, as a partner's may not its account, leaves those there are: it says only what it changes.

-- Has records found by their words, [{ record, owner, team, reader, title, words, pointed, keeps }], and takes the words into the
-- vocabulary; passes over what has no `words`. `keeps` leaves those of weight D that stand there.
create or replace function core.search_put(of_resource text, documents jsonb) returns void
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
