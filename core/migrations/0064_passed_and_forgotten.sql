-- A subscriber that sleeps without its peer lets events pass: they are not done, and whoever looks at the stream sees it. Its
-- number stands below zero in whom they were told to, so that a replay tells them as what was never heard.
--
-- Its owner's rights: that an event was told to somebody stands in a row which nobody else may change.
create function core.let_pass(of_subscription text, events uuid[]) returns void
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  if not core.is_internal() then return; end if;
  update core.event e set told_to = array_replace(e.told_to, s.number, -s.number) from core.subscription s
    where s.id = of_subscription and e.id = any (events) and e.workspace = core.current_workspace();
end $$;
revoke all on function core.let_pass from public;
grant execute on function core.let_pass to socle_app;

-- Forgets what went wrong with plugins here, and in the installation, and has not happened again since an instant.
--
-- Its owner's rights: the application may not delete an incident.
create function core.forget_incidents(last_before timestamptz) returns void
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  if not core.is_internal() then return; end if;
  delete from core.plugin_incident i
    where i.last_at < last_before and (i.workspace is null or i.workspace = core.current_workspace());
end $$;
revoke all on function core.forget_incidents from public;
grant execute on function core.forget_incidents to socle_app;
