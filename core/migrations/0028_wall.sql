-- What partner sessions find of their own beyond what each of their people has.

-- Who of the session's own partners made changes that the session reads: heads of others stay behind the wall.
create function core.heads_of_own(sets uuid[]) returns table (id uuid, actor_type text, actor_id uuid, actor_name text, origin text)
  language sql stable security definer set search_path = core, pg_temp as $$
  select s.id, s.actor_type, s.actor_id, s.actor_name, s.origin
  from core.change_set s
  join core.member m on m.workspace = s.workspace and m.id = s.actor_id and m.partner = any (core.current_partners())
  where s.workspace = core.current_workspace() and s.id = any (sets) and s.actor_type = 'user'
    and exists (select from core.change c where c.workspace = s.workspace and c.change_set = s.id and c.reader = any (core.current_readers()))
$$;
revoke all on function core.heads_of_own from public;
grant execute on function core.heads_of_own to socle_app;
