-- Deliveries in the shape their scheduler asks for, and background work.

-- A delivery is named by its place in its record's queue; a random id would only cost every event one more index entry.
alter table core.delivery drop constraint delivery_pkey;
alter table core.delivery drop column id;
drop index core.delivery_order;
alter table core.delivery add primary key (subscription, workspace, key, seq);
alter table core.delivery drop constraint delivery_subscription_event_key;
create unique index delivery_event on core.delivery (event, subscription);

-- One index answers both "which subscriber of which workspace has something to do" (by skipping from queue to queue)
-- and "what is its oldest due delivery".
drop index core.delivery_due;
create index delivery_due on core.delivery (state, subscription, workspace, due_at, seq);

-- The outbox goes from empty to a million rows and back within minutes, faster than statistics follow: a plan made for
-- the empty table would read the full one for each delivery. These functions know that only the indexes will do.

-- When a record's newest delivery to a subscriber is due; the next one is not due before it. Its owner's rights: whoever
-- changes a record tells of it, and need not see who else waits to hear.
create function core.delivery_due_after(of_subscription text, in_workspace uuid, of_key uuid) returns timestamptz
  language plpgsql stable security definer set search_path = core, pg_temp set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off as $$
begin
  return (select d.due_at from core.delivery d
    where d.subscription = of_subscription and d.workspace = in_workspace and d.key = of_key
      and in_workspace = core.current_workspace()
    order by d.seq desc limit 1);
end $$;
revoke all on function core.delivery_due_after from public;
grant execute on function core.delivery_due_after to socle_app;

-- Every queue that is not empty but for the deliveries the caller is busy with, and the instant of its earliest one.
create function core.delivery_queues(except_for bigint[]) returns table (state text, subscription text, workspace uuid, due timestamptz)
  language plpgsql stable set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off as $$
begin
  return query
    with recursive queue as (
      (select d.state, d.subscription, d.workspace, d.due_at from core.delivery d
        where d.state > 'dead' and d.seq <> all (except_for) order by d.state, d.subscription, d.workspace, d.due_at limit 1)
      union all
      select next.* from queue q cross join lateral (
        select d.state, d.subscription, d.workspace, d.due_at from core.delivery d
        where (d.state, d.subscription, d.workspace) > (q.state, q.subscription, q.workspace) and d.seq <> all (except_for)
        order by d.state, d.subscription, d.workspace, d.due_at limit 1) next)
    select * from queue;
end $$;

-- Locks and deletes the oldest due deliveries of a queue that have none of their record before them, `at_most` of them and so
-- each of another record, leaving out those the caller is busy with. The last row has no delivery and tells in `more` that yet
-- another one is due, although it may have to wait for one of those. Locks end with the transaction, and so do the deliveries.
create function core.take_deliveries(
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

-- The outbox is filled and emptied all the time: dead rows must not pile up in front of the oldest delivery.
alter table core.delivery set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- Background work as the people who started it see it. pg-boss decides when and where it runs.
create table core.job (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  plugin text not null,
  kind text not null,
  -- At most one unfinished job per kind and key.
  key text,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  payload jsonb not null default '{}',
  progress integer not null default 0,
  total integer,
  result jsonb,
  error jsonb,
  attempts integer not null default 0,
  -- User who started it, and with whose rights it works; empty for a plugin's and a schedule's.
  actor uuid,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  heartbeat_at timestamptz,
  -- Under which id pg-boss is told to run it, made beforehand so that telling twice is telling once; and when it was.
  ticket uuid not null default gen_random_uuid(),
  handed_at timestamptz
);
create unique index job_key on core.job (workspace, kind, key) where key is not null and state in ('queued', 'running');
create index job_recent on core.job (workspace, created_at desc, id desc);
create index job_unhanded on core.job (created_at) where state = 'queued' and handed_at is null;
select core.protect('core.job', 'select, insert, update, delete', 'person', 'actor');

-- The unfinished job of a key, whoever started it: who asks for the same once more is told of that one.
create function core.job_of_key(of_kind text, of_key text) returns setof uuid
  language sql stable security definer set search_path = core, pg_temp as $$
  select id from core.job where workspace = core.current_workspace() and kind = of_kind and key = of_key
    and state in ('queued', 'running', 'paused')
$$;
revoke all on function core.job_of_key from public;
grant execute on function core.job_of_key to socle_app;

-- When a plugin's scheduled job is due next in a workspace; whoever moves the instant on has the tick.
create table core.schedule (
  workspace uuid not null references core.workspace (id) on delete cascade,
  job text not null,
  next_at timestamptz not null,
  primary key (workspace, job)
);
select core.protect('core.schedule', 'select');

-- Deliveries and jobs are found across workspaces by the tables' owner, whom forced row level security would blind
-- where it is not a superuser. The application's role stays behind the wall: it owns nothing.
alter table core.delivery no force row level security;
alter table core.job no force row level security;
alter table core.schedule no force row level security;
alter table core.plugin_workspace no force row level security;
alter table core.workspace no force row level security;
