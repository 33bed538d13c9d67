-- A request whose work failed is broken off and says why, until it is run again.
alter table core.privacy_request
  add column fault text,
  drop constraint privacy_request_state_check,
  add constraint privacy_request_state_check check (state in ('received', 'verified', 'running', 'failed', 'done'));

-- Whether somebody is named is asked of every text there is. The words alone are looked for many times faster than with what
-- may stand around them, and are nearly never there: so they come first.

create function core.bare_words(pattern text) returns text
  language sql immutable parallel safe strict as $$
  select case when starts_with(pattern, '(?:(?<![[:alnum:]])|(?<=\\[nrt]))') and right(pattern, 15) = '(?![[:alnum:]])'
    then substr(pattern, 34, length(pattern) - 48) else pattern end $$;
create or replace function core.names_somebody(value text, pattern text) returns boolean
  language sql immutable parallel safe as $$ select value ~* core.bare_words(pattern) and value ~* pattern $$;
create or replace function core.names_somebody(value text[], pattern text) returns boolean
  language sql immutable parallel safe as $$
  select exists (select from unnest(value) e (word) where e.word ~* core.bare_words(pattern) and e.word ~* pattern) $$;
create or replace function core.names_somebody(value jsonb, pattern text) returns boolean
  language sql immutable parallel safe as $$
  select value::text ~* core.bare_words(pattern) and value::text ~* pattern and core.texts_name_somebody(value, pattern) $$;

-- As the one for a whole table, in a part of it.
create function core.count_mentions(of_run uuid, place regclass, of_resource text, pattern text, first_block bigint, last_block bigint) returns bigint
  language plpgsql stable security definer set search_path = core, public, pg_temp as $$
declare
  matches text;
  listed text := case
    when place = 'core.change'::regclass then 'e.resource = t.resource and e.record = t.record'
    when of_resource is not null then format('e.resource = %L and e.record = t.id', of_resource)
    else 'false' end;
  found bigint;
begin
  perform core.demand_erasure(of_run);
  select string_agg(format('core.names_somebody(t.%I, %L)', c.name, pattern), ' or ') into matches from core.text_columns(place) c;
  if matches is null then return 0; end if;
  execute format('select count(*) from %s t where t.workspace = %L and t.ctid >= %L::tid and t.ctid < %L::tid and (%s) and not exists (
    select from core.erasure_target e where e.workspace = t.workspace and e.run = %L and %s)', place, core.current_workspace(),
    format('(%s,0)', first_block), format('(%s,0)', last_block), matches, of_run, listed) into found;
  return found;
end $$;
revoke all on function core.count_mentions(uuid, regclass, text, text, bigint, bigint) from public;
grant execute on function core.count_mentions(uuid, regclass, text, text, bigint, bigint) to socle_app;
