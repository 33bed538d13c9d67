-- What cannot be taken back unseen: the newest entry of the chain of objections, and that somebody erased may come back.

-- The chain shows that an entry is missing by the one behind it; the newest has none. So its place is kept beside, and moves on
-- by one with each.
create table core.opt_out_head (
  workspace uuid primary key references core.workspace (id) on delete cascade,
  position bigint not null,
  hash bytea not null
);
select core.protect('core.opt_out_head', 'select');
alter table core.opt_out_head no force row level security;
insert into core.opt_out_head (workspace, position, hash)
  select distinct on (o.workspace) o.workspace, o.position, o.hash from core.opt_out o order by o.workspace, o.position desc;

create function core.move_opt_out_head() returns trigger
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  insert into core.opt_out_head as h (workspace, position, hash) values (new.workspace, new.position, new.hash)
    on conflict (workspace) do update set position = excluded.position, hash = excluded.hash where h.position = excluded.position - 1;
  if not found then
    raise exception 'the newest entry of the chain of objections is missing' using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
revoke all on function core.move_opt_out_head from public;
create trigger opt_out_moves_head after insert on core.opt_out for each row execute function core.move_opt_out_head();

create function core.keep_opt_out_head() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if not exists (select from core.workspace w where w.id = old.workspace) then return old; end if;
  elsif new.position = old.position + 1 then return new; end if;
  raise exception 'opt_out_head only moves on' using errcode = 'restrict_violation';
end $$;
create trigger opt_out_head_moves_on before update or delete on core.opt_out_head for each row execute function core.keep_opt_out_head();
create trigger opt_out_head_is_not_emptied before truncate on core.opt_out_head execute function core.refuse_truncation();

-- First place where the chain does not hold, its end included; null where it does.
create or replace function core.opt_out_fault(in_workspace uuid) returns bigint
  language sql stable as $$
  select min(f.position) from (
    select o.position from (
      select c.position, c.hash <> core.opt_out_digest(c) as altered,
        c.prev_hash <> coalesce(lag(c.hash) over (order by c.position), sha256(convert_to(in_workspace::text, 'UTF8'))) as unlinked,
        c.position <> row_number() over (order by c.position) as displaced
      from core.opt_out c where c.workspace = in_workspace) o
    where o.altered or o.unlinked or o.displaced
    union all
    select coalesce(last.position, 0) + 1
    from (select (select c.position from core.opt_out c where c.workspace = in_workspace order by c.position desc limit 1) as position) last
    left join core.opt_out_head h on h.workspace = in_workspace
    where coalesce(h.position, 0) <> coalesce(last.position, 0)
    union all
    select h.position from core.opt_out_head h join core.opt_out c on c.workspace = h.workspace and c.position = h.position
    where h.workspace = in_workspace and c.hash <> h.hash) f $$;

-- An erasure that was lifted says so, as any change of the request does.
alter table core.privacy_request add column lifted_at timestamptz, add column lifted_by uuid, add column lift_reason text;

-- Who an invoice was for, in words, once that person is erased: the law keeps the document with its buyer's name and address.
alter table core.invoice add column buyer text;
