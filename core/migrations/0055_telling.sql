-- Writes what a unit tells, and a delivery for each subscriber: [{ id, name, version, key, payload }] in the order they are
-- told. In PL/pgSQL, so that what concerns deliveries costs only who is owed one. With its caller's rights: row level security
-- binds it.
--
-- A sequence alone is not commit order: of two transactions that tell about one record, the one with the smaller number may
-- commit last. So the lock of each of `locks`, sorted and in small letters, is held from before its number is drawn until the
-- commit.
--
-- A delivery is never due before the one in front of it: behind a failing event a record's later ones are not even looked at.
create function core.tell(in_workspace uuid, of_change_set uuid, told_at timestamptz, locks text[], emissions jsonb) returns integer
  language plpgsql as $$
declare
  events uuid[];
  keys uuid[];
  subscriptions text[];
  numbers integer[];
begin
  perform pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(locks) as key;
  select array_agg(o.event), array_agg(o.key), array_agg(o.subscription), array_agg(o.number)
    into events, keys, subscriptions, numbers
  from (
    select told.id as event, told.key, s.id as subscription, s.number
    from rows from (jsonb_to_recordset(emissions) as (id uuid, name text, version integer, key uuid, payload jsonb))
      with ordinality as told (id, name, version, key, payload, nth)
    join core.subscription s on s.event = told.name and s.active and (s.version is null or s.version = told.version)
      and (s.changed is null or coalesce(told.payload -> 'changed' ?| s.changed, true))
    where s.plugin = 'core'
      or exists (select from core.plugin_workspace p where p.workspace = in_workspace and p.plugin = s.plugin
        and (s.while_disabled = 'hold' or p.state = 'enabled'))
    order by told.nth, s.id) o;
  insert into core.event (id, workspace, name, version, key, payload, change_set, at, told_to)
  select told.id, in_workspace, told.name, told.version, told.key, told.payload, of_change_set, told_at, coalesce(owed.numbers, '{}')
  from rows from (jsonb_to_recordset(emissions) as (id uuid, name text, version integer, key uuid, payload jsonb))
    with ordinality as told (id, name, version, key, payload, nth)
  left join (select o.event, array_agg(o.number) as numbers from unnest(events, numbers) as o (event, number) group by o.event) owed
    on owed.event = told.id
  order by told.nth;
  if events is null then return 0; end if;
  insert into core.delivery (workspace, subscription, event, key, due_at)
  select in_workspace, o.subscription, o.event, o.key,
    greatest(told_at, core.delivery_due_after(o.subscription, in_workspace, o.key))
  from unnest(subscriptions, events, keys) as o (subscription, event, key);
  return cardinality(events);
end $$;
