-- What plugins keep beside records of others.

-- As in 0014_partners.sql, and also where the reference stands beside the record that has it: such a row is called by that
-- record, and is in no bin.
create or replace function core.records_in_use(place regclass, of_column text, of_field text, beside text, of_resource text, records uuid[], except_for uuid[])
  returns setof uuid
  language plpgsql stable security definer set search_path = core, pg_temp as $$
declare
  value text := case when of_column is null then format('core.custom_id(t.custom, %L)', of_field) else format('t.%I', of_column) end;
  is_beside boolean := not exists (select from pg_attribute a where a.attrelid = place and a.attname = 'id' and not a.attisdropped);
begin
  return query execute format('select distinct %1$s from %2$s t
    where t.workspace = core.current_workspace() and %4$s <> all ($2) and %1$s = any ($1) %3$s',
    value, place, case when beside is null then '' else format('and t.%I = $3', beside) end,
    case when is_beside then 't.record' else 't.deleted_at is null and t.id' end)
    using array(
      select c.record from core.change c
      where c.workspace = core.current_workspace() and c.resource = of_resource and c.record = any (records) and c.action = 'create'
        and (core.is_internal() or c.reader = any (core.current_readers()))),
      except_for, of_resource;
end $$;
