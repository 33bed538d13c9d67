-- Which version has prepared a workspace is kept in the transaction in which it did, and only by whoever found what was there
-- before: of two that prepare it at once one is undone.
--
-- Its owner's rights: the application may not say how a plugin stands.
create function core.keep_prepared(of_plugin text, last text, prepared text) returns boolean
  language sql security definer set search_path = core, pg_temp as $$
  with kept as (
    update core.plugin_workspace set version = prepared
    where core.is_internal() and workspace = core.current_workspace() and plugin = of_plugin
      and state in ('enabling', 'enabled') and version is not distinct from last
    returning 1
  )
  select exists (select from kept)
$$;
revoke all on function core.keep_prepared from public;
grant execute on function core.keep_prepared to socle_app;
