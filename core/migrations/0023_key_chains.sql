-- A key made by a key lives no longer than its maker, does no more and comes from nowhere else.

alter table core.api_key
  -- The key that made it; null where a person did.
  add column made_by_key uuid,
  add foreign key (workspace, made_by_key) references core.api_key (workspace, id);
create index api_key_made_by_key on core.api_key (workspace, made_by_key) where made_by_key is not null;

-- The ledger knows of those made until now.
update core.api_key k set made_by_key = s.actor_id
  from core.change c join core.change_set s on s.id = c.change_set
  where c.workspace = k.workspace and c.resource = 'core.api-key' and c.record = k.id and c.action = 'create'
    and s.actor_type = 'key' and exists (select from core.api_key m where m.workspace = k.workspace and m.id = s.actor_id);

-- A key and those it came from, nearest first.
create function core.key_chain(key uuid) returns setof core.api_key language sql stable as $$
  with recursive chain as (
    select k.id, k.workspace, k.made_by_key, 1 as nth from core.api_key k where k.id = key
    union all
    select k.id, k.workspace, k.made_by_key, c.nth + 1 from chain c
    join core.api_key k on k.workspace = c.workspace and k.id = c.made_by_key
  )
  select k.* from chain c join core.api_key k on k.workspace = c.workspace and k.id = c.id order by c.nth
$$;
