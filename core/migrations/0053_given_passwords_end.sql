-- A password that a company gave ends with the invitation it was given for: who came in by another way never needed it, and
-- whoever gave it still knows it; taken back, it would keep the person from coming in where somebody else invites them.

create or replace function core.keep_acceptance() returns trigger
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  if new.state = 'invited' then new.accepted_at := null;
  elsif new.state = 'active' and new.accepted_at is null then
    new.accepted_at := now();
    -- Who came in with it has it for their own by now.
    delete from core.credential where user_id = new.id and given_by = new.workspace;
    update core.credential set given_by = null where user_id = new.id and given_by is not null;
  end if;
  if new.deleted_at is not null and new.accepted_at is null then
    delete from core.credential where user_id = new.id and given_by = new.workspace;
  end if;
  return new;
end $$;

create or replace trigger member_acceptance before insert or update of state, accepted_at, deleted_at on core.member
  for each row execute function core.keep_acceptance();

delete from core.credential c where c.given_by is not null and not exists (
  select from core.member m where m.workspace = c.given_by and m.id = c.user_id and m.deleted_at is null);
