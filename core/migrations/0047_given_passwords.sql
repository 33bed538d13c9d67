-- Whoever lets somebody in is not told whether they sign in to another company already: a password given with the invitation
-- is kept beside the sign-in it was made with, opens nothing for whoever had one before, and the member is invited either way.

-- The company that gave the password, until its person has come in anywhere.
alter table core.credential add column given_by uuid;

create or replace function core.login_open(new_id uuid, new_email text, new_name text, password_hash text, at timestamptz)
  returns table (id uuid, made boolean)
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  found uuid;
begin
  insert into core."user" (id, name, email, created_at, updated_at) values (new_id, new_name, lower(new_email), at, at)
    on conflict do nothing;
  select u.id into found from core."user" u where lower(u.email) = lower(new_email);
  if found = new_id and password_hash is not null then
    insert into core.credential (id, account_id, provider_id, user_id, password, created_at, updated_at, given_by)
      values (new_id, new_id::text, 'credential', new_id, password_hash, at, at, core.current_workspace());
  end if;
  return query select found, found = new_id;
end $$;

-- Whether a person has a way in that is not a company's gift to them, or is another company's.
create function core.signs_in(person uuid, house uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  select exists (select from core.credential where user_id = person and given_by is distinct from house)
    or exists (select from core.passkey where user_id = person)
    or exists (select from core.external_identity where user_id = person)
$$;

create or replace function core.login_exists(person uuid) returns boolean
  language sql stable security definer set search_path = core, pg_temp as $$
  select core.signs_in(person, core.current_workspace())
$$;

-- The person came in with the password this company gave: it is theirs from now on. False where somebody was faster.
create function core.login_take_password(person uuid) returns boolean
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  update core.credential set given_by = null where user_id = person and given_by = core.current_workspace();
  return found;
end $$;

-- Whoever has come in has what they were given for their own.
create or replace function core.keep_acceptance() returns trigger
  language plpgsql security definer set search_path = core, pg_temp as $$
begin
  if new.state = 'invited' then new.accepted_at := null;
  elsif new.state = 'active' and new.accepted_at is null then
    new.accepted_at := now();
    update core.credential set given_by = null where user_id = new.id and given_by is not null;
  end if;
  return new;
end $$;

create or replace function core.login_use_link(person uuid, link_hash bytea, password_hash text, at timestamptz) returns text
  language plpgsql security definer set search_path = core, pg_temp as $$
declare
  used text;
begin
  select l.purpose into used from core.sign_in_link l
    where l.workspace = core.current_workspace() and l.user_id = person and l.hash = link_hash and l.expires_at > at
    for update;
  if used is null then return null; end if;
  if used = 'password' and (password_hash is null or not core.has_accepted(person) or core.works_elsewhere(person)) then return null; end if;
  if used = 'invitation' and password_hash is not null and core.login_exists(person) then return null; end if;
  delete from core.sign_in_link l where l.workspace = core.current_workspace() and l.user_id = person;
  if password_hash is null then
    -- With a passkey in its place: who gave the password still knows it, and they may never have.
    delete from core.credential where user_id = person and given_by = core.current_workspace();
    return used;
  end if;
  update core.credential set password = password_hash, given_by = null, updated_at = at where user_id = person and provider_id = 'credential';
  if not found then
    insert into core.credential (id, account_id, provider_id, user_id, password, created_at, updated_at)
      values (gen_random_uuid(), person::text, 'credential', person, password_hash, at, at);
  end if;
  delete from core.session where user_id = person;
  delete from core.verification where user_id = person;
  return used;
end $$;

revoke all on function core.signs_in, core.login_take_password, core.keep_acceptance from public;
grant execute on function core.login_take_password to socle_app;
