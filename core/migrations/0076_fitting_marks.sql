-- A mark fits where it stands: a row whose table refuses the plain one takes another, and does not keep an erasure from ending.

-- Rows of a part of a table, each in the first way that its constraints let it: told apart from others, as an identifier, empty,
-- or as short as can be.
create function core.erase_mentions_by_row(place regclass, pattern text, mark text, within text) returns bigint
  language plpgsql set search_path = core, public, pg_temp as $$
declare
  matches constant text := (
    select string_agg(format('core.names_somebody(t.%I, %L)', c.name, pattern), ' or ') from core.text_columns(place) c);
  ways constant text[] := array[mark || ' %s', 'erased-%s', null, '–'];
  here tid;
  found bigint := 0;
begin
  for here in execute format('select t.ctid from %s t where %s and (%s)', place, within, matches) loop
    for way in 1 .. array_length(ways, 1) loop
      begin
        execute format('update %s t set %s where t.ctid = %L', place, (
          select string_agg(
            case when ways[way] is null and not a.attnotnull
              then format('%1$I = case when core.names_somebody(t.%1$I, %2$L) then null else t.%1$I end', c.name, pattern)
              else format('%1$I = core.without_mentions(t.%1$I, %2$L, %3$L)::%4$s', c.name, pattern,
                format(coalesce(ways[way], ways[1]), left(gen_random_uuid()::text, 6)), c.type) end, ', ')
          from core.text_columns(place) c join pg_attribute a on a.attrelid = place and a.attname = c.name), here);
        exit;
      exception when check_violation or not_null_violation or unique_violation or exclusion_violation or string_data_right_truncation then
        if way = array_length(ways, 1) then raise; end if;
      end;
    end loop;
    found := found + 1;
  end loop;
  return found;
end $$;
revoke all on function core.erase_mentions_by_row from public;

-- As it was, but that a table which refuses the mark is gone through row by row.
create or replace function core.erase_mentions(of_run uuid, place regclass, pattern text, mark text, first_block bigint, last_block bigint) returns bigint
  language plpgsql security definer set search_path = core, public, pg_temp as $$
declare
  here uuid := core.current_workspace();
  imports uuid[];
  within text := format('t.workspace = %L and t.ctid >= %L::tid and t.ctid < %L::tid', here, format('(%s,0)', first_block), format('(%s,0)', last_block));
  assignments text;
  matches text;
  found bigint;
begin
  perform core.demand_erasure(of_run);
  if place = 'core.change'::regclass then
    execute format('update %s t set fields = ''{}'', salt = null where %s and t.salt is not null and core.names_somebody(t.fields, %L)
      and not exists (select from core.erasure_target h where h.workspace = t.workspace and h.run = %L and h.resource = t.resource and h.record = t.record and h.how = ''held'')',
      place, within, pattern, of_run);
  elsif place = 'core.change_set'::regclass then
    execute format('update %s t set actor_name = '''', reason = null, salt = null where %s and t.salt is not null and t.reason ~* %L', place, within, pattern);
  elsif place in ('core.idempotency'::regclass, 'core.import_key'::regclass) then
    execute format('delete from %s t where %s and t::text ~* %L', place, within, pattern);
  elsif place = 'core.consent_wording'::regclass then
    execute format('update %s t set wording = '''' where %s and t.wording ~* %L', place, within, pattern);
  elsif place = 'core.import_row'::regclass then
    -- A line that names somebody tells more of them, and so do the file and what was learnt of its columns.
    execute format('with gone as (update %s t set cells = null, outcome = null where %s and num_nonnulls(t.cells, t.outcome) > 0
      and (core.names_somebody(t.cells, %L) or core.names_somebody(t.outcome, %3$L)) returning t.import) select array_agg(import) from gone', place, within, pattern) into imports;
    perform core.forget_files(imports);
    return coalesce(array_length(imports, 1), 0);
  else
    select string_agg(format('%1$I = core.without_mentions(t.%1$I, %2$L, %3$L)::%4$s', c.name, pattern, mark, c.type), ', '),
           string_agg(format('core.names_somebody(t.%I, %L)', c.name, pattern), ' or ')
      into assignments, matches from core.text_columns(place) c;
    if assignments is null then return 0; end if;
    begin
      execute format('update %s t set %s where %s and (%s)', place, assignments, within, matches);
      get diagnostics found = row_count;
      return found;
    exception when check_violation or not_null_violation or unique_violation or exclusion_violation or string_data_right_truncation then
      return core.erase_mentions_by_row(place, pattern, mark, within);
    end;
  end if;
  get diagnostics found = row_count;
  return found;
end $$;
