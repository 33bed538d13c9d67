-- What became of deliveries: what was done is remembered, dead letters are redriven, skipped and told again.

-- Under this number events remember whom they were told to. A subscriber that comes back after its plugin was removed has
-- another one: it has done nothing yet.
alter table core.subscription add column number integer generated always as identity;

-- Numbers of the subscriptions that were owed the event. One of them without a delivery has done it, or was spared it on
-- purpose: that is the inbox, for the price of a column in a row that is written anyway. Null: told before it was kept.
alter table core.event add column told_to integer[];

-- The stream of one kind of event, newest first, and what is told again of it.
create index event_name on core.event (workspace, name, seq);

-- A dead letter of a subscriber that goes on without it is set `aside`: it stands in nobody's way. Named so that it sorts with
-- `dead`, before the states in which somebody looks for work.
alter table core.delivery drop constraint delivery_state_check;
alter table core.delivery add constraint delivery_state_check check (state in ('waiting', 'held', 'dead', 'aside'));

create or replace function core.delivery_due_after(of_subscription text, in_workspace uuid, of_key uuid) returns timestamptz
  language plpgsql stable security definer set search_path = core, pg_temp set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off as $$
begin
  return (select d.due_at from core.delivery d
    where d.subscription = of_subscription and d.workspace = in_workspace and d.key = of_key and d.state <> 'aside'
      and in_workspace = core.current_workspace()
    order by d.seq desc limit 1);
end $$;

create or replace function core.take_deliveries(
    of_subscription text, of_plugin text, in_workspace uuid, due_by timestamptz, except_for bigint[], at_most integer)
  returns table (seq bigint, attempts integer, more boolean, event core.event)
  language plpgsql rows 1 set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off as $$
declare
  taken core.delivery;
begin
  -- The plugin may have been switched off since the queue was found.
  if of_plugin <> 'core' and not exists (
    select from core.plugin_workspace p where p.workspace = in_workspace and p.plugin = of_plugin and p.state = 'enabled')
  then return; end if;
  for taken in
    select d.* from core.delivery d
    where d.state = 'waiting' and d.subscription = of_subscription and d.workspace = in_workspace
      and d.due_at <= due_by and d.seq <> all (except_for)
      -- Not "not exists": as a join it may read the whole queue for one delivery.
      and d.seq = (select first.seq from core.delivery first
        where first.subscription = of_subscription and first.workspace = in_workspace and first.key = d.key
          and first.state <> 'aside'
        order by first.seq limit 1)
    order by d.due_at, d.seq
    limit at_most
    for update of d skip locked
  loop
    delete from core.delivery d where d.subscription = of_subscription and d.workspace = in_workspace
      and d.key = taken.key and d.seq = taken.seq;
    select e.* into event from core.event e where e.id = taken.event;
    seq := taken.seq;
    attempts := taken.attempts;
    return next;
  end loop;
  seq := null;
  more := coalesce((
    select true from core.delivery d
    where d.state = 'waiting' and d.subscription = of_subscription and d.workspace = in_workspace and d.due_at <= due_by
      and d.seq <> all (except_for)
    order by d.due_at, d.seq limit 1), false);
  return next;
end $$;

-- Lets a record's deliveries go on that waited behind a dead letter, as far as the next one.
create function core.unblock_deliveries(of_subscription text, in_workspace uuid, of_key uuid, at timestamptz) returns integer
  language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  freed integer;
begin
  update core.delivery d set due_at = at
    where d.subscription = of_subscription and d.workspace = in_workspace and d.key = of_key
      and d.due_at = 'infinity' and d.state in ('waiting', 'held')
      and d.seq < coalesce((select min(next.seq) from core.delivery next
        where next.subscription = of_subscription and next.workspace = in_workspace and next.key = of_key
          and next.state = 'dead'), 9223372036854775807);
  get diagnostics freed = row_count;
  return freed;
end $$;

-- Gives a subscriber's dead letters all their tries again, the oldest first; of one event, or of all for null. What waits
-- behind them goes on after them.
create function core.redrive_deliveries(
    of_subscription text, in_workspace uuid, of_event uuid, at timestamptz, at_most integer) returns integer
  language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  letter core.delivery;
  redriven integer := 0;
begin
  for letter in
    select d.* from core.delivery d
    where d.subscription = of_subscription and d.workspace = in_workspace and d.state in ('dead', 'aside')
      and (of_event is null or d.event = of_event)
    order by d.seq limit at_most for update of d
  loop
    update core.delivery d set state = 'waiting', attempts = 0, due_at = at
      where d.subscription = of_subscription and d.workspace = in_workspace and d.key = letter.key and d.seq = letter.seq;
    perform core.unblock_deliveries(of_subscription, in_workspace, letter.key, at);
    redriven := redriven + 1;
  end loop;
  return redriven;
end $$;

-- Tells a subscriber events of one workspace once more, in the order they were told: each takes the place it had among what
-- its record's deliveries still wait for. What is still owed is owed once; what was done is left out unless `again`.
--
-- Its owner's rights: that an event was told to somebody stands in a row which nobody else may change.
create function core.replay_deliveries(of_subscription text, events uuid[], again boolean, at timestamptz) returns integer
  language plpgsql security definer set search_path = core, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  here uuid := core.current_workspace();
  mark integer;
  of_key uuid;
  moved record;
  first bigint;
  due timestamptz;
  replayed integer := 0;
begin
  if not core.is_internal() then return 0; end if;
  select s.number into mark from core.subscription s where s.id = of_subscription;
  -- Whoever tells of these records waits, so that nothing newer comes in front.
  for of_key in select distinct e.key from core.event e where e.id = any (events) and e.workspace = here order by e.key loop
    perform pg_advisory_xact_lock(hashtextextended(of_key::text, 0));
    first := null;
    for moved in
      select e.id, e.seq, e.told_to from core.event e
      where e.id = any (events) and e.workspace = here and e.key = of_key
        and not exists (select from core.delivery d where d.event = e.id and d.subscription = of_subscription)
        and (again or mark <> all (e.told_to))
      order by e.seq
    loop
      insert into core.delivery (workspace, subscription, event, key, due_at) values (here, of_subscription, moved.id, of_key, at);
      if mark <> all (moved.told_to) then
        update core.event e set told_to = e.told_to || mark where e.id = moved.id;
      end if;
      first := coalesce(first, moved.seq);
      replayed := replayed + 1;
    end loop;
    continue when first is null;
    -- All that was told later goes behind, and none is due before the one in front of it.
    select d.due_at into due from core.delivery d join core.event e on e.id = d.event
      where d.subscription = of_subscription and d.workspace = here and d.key = of_key and d.state <> 'aside' and e.seq < first
      order by d.seq desc limit 1;
    for moved in
      select d.seq, d.state, d.due_at from core.delivery d join core.event e on e.id = d.event
      where d.subscription = of_subscription and d.workspace = here and d.key = of_key and e.seq >= first
      order by e.seq
    loop
      if moved.state <> 'aside' then due := greatest(due, moved.due_at); end if;
      update core.delivery d set seq = default, due_at = case when d.state = 'aside' then d.due_at else due end
        where d.subscription = of_subscription and d.workspace = here and d.key = of_key and d.seq = moved.seq;
    end loop;
    due := null;
  end loop;
  return replayed;
end $$;
revoke all on function core.replay_deliveries from public;
grant execute on function core.replay_deliveries to socle_app;

-- Looks at the next events of a workspace, oldest first, and forgets those from before an instant that nobody is owed any
-- more. `last` is the place to go on from; null behind the last that is old enough.
--
-- Its owner's rights: the application may not delete an event.
create function core.forget_events(told_before timestamptz, after bigint, at_most integer, out forgotten integer, out last bigint)
  language plpgsql security definer set search_path = core, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  if not core.is_internal() then return; end if;
  with looked as materialized (
    select e.id, e.seq, e.at from core.event e where e.workspace = core.current_workspace() and e.seq > after
    order by e.seq limit at_most),
  gone as (
    delete from core.event e using looked l where e.id = l.id and l.at < told_before
      and not exists (select from core.delivery d where d.event = e.id) returning e.id)
  select (select count(*) from gone), (select case when bool_and(l.at < told_before) then max(l.seq) end from looked l)
    into forgotten, last;
end $$;
revoke all on function core.forget_events from public;
grant execute on function core.forget_events to socle_app;

-- A switch tells its event in the transaction that makes it, which is the platform's own, whatever the workspace.
alter table core.event no force row level security;
