-- A person's own account at a provider may be the last way in they have.

-- Whether somebody could not come in any more, in whatever company, without this account at a provider. Their row is locked:
-- of two ways taken away in the same second, each the last but one, the second is refused.
create function core.link_is_last_way(person uuid, link uuid) returns boolean
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  if not core.is_member(person) then return false; end if;
  perform from core."user" where id = person for no key update;
  return not exists (select from core.credential c where c.user_id = person and c.provider_id = 'credential' and c.password is not null)
    and not exists (select from core.passkey k where k.user_id = person)
    and not exists (select from core.external_identity e join core.identity_provider p on p.id = e.provider
      where e.user_id = person and e.id <> link and p.enabled and p.deleted_at is null);
end $$;
revoke all on function core.link_is_last_way from public;
grant execute on function core.link_is_last_way to socle_app;
