-- A workspace's own fields: their definitions, and how their values are read out of `custom jsonb`.

create table core.field (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  owner uuid,
  team uuid,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  deleted_at timestamptz,
  custom jsonb not null default '{}',
  resource text not null,
  name text not null,
  type text not null,
  label_en text not null,
  label_fr text not null,
  help_en text,
  help_fr text,
  options jsonb,
  target text,
  currency text,
  scale integer check (scale between 0 and 8),
  min numeric,
  max numeric,
  max_length integer check (max_length > 0),
  required boolean not null default false,
  required_if text,
  shown_if text,
  is_unique boolean not null default false,
  indexed boolean not null default false,
  index_state text check (index_state in ('building', 'ready', 'failed')),
  index_fault text check (index_fault in ('doubled', 'refused')),
  initial text,
  formula text,
  prefix text,
  position integer not null default 0,
  archived boolean not null default false
);
-- Also over archived fields and those in the bin: their values are still there, under this name.
create unique index field_name on core.field (workspace, resource, name);
select core.protect('core.field');

-- A filter behind row level security may use an index only through functions that are known to tell nothing by their
-- errors. These are PostgreSQL's own ones under names that say so, where the installing role may say it; elsewhere
-- filters are as right, and only sorts use the index.
do $$ begin
  create function core.custom_json(custom jsonb, name text) returns jsonb
    language internal immutable strict leakproof parallel safe as 'jsonb_object_field';
  create function core.custom_text(custom jsonb, name text) returns text
    language internal immutable strict leakproof parallel safe as 'jsonb_object_field_text';
  create function core.json_number(value jsonb) returns numeric
    language internal immutable strict leakproof parallel safe as 'jsonb_numeric';
  create function core.json_integer(value jsonb) returns integer
    language internal immutable strict leakproof parallel safe as 'jsonb_int4';
  create function core.json_boolean(value jsonb) returns boolean
    language internal immutable strict leakproof parallel safe as 'jsonb_bool';
  -- Comparing numbers fails for none of them; PostgreSQL has not got round to saying so.
  alter function pg_catalog.numeric_eq(numeric, numeric) leakproof;
  alter function pg_catalog.numeric_lt(numeric, numeric) leakproof;
  alter function pg_catalog.numeric_le(numeric, numeric) leakproof;
  alter function pg_catalog.numeric_gt(numeric, numeric) leakproof;
  alter function pg_catalog.numeric_ge(numeric, numeric) leakproof;
  alter function pg_catalog.numeric_cmp(numeric, numeric) leakproof;
exception when insufficient_privilege then
  create function core.custom_json(custom jsonb, name text) returns jsonb
    language sql immutable strict parallel safe as $f$ select custom -> name $f$;
  create function core.custom_text(custom jsonb, name text) returns text
    language sql immutable strict parallel safe as $f$ select custom ->> name $f$;
  create function core.json_number(value jsonb) returns numeric
    language sql immutable strict parallel safe as $f$ select value::numeric $f$;
  create function core.json_integer(value jsonb) returns integer
    language sql immutable strict parallel safe as $f$ select value::integer $f$;
  create function core.json_boolean(value jsonb) returns boolean
    language sql immutable strict parallel safe as $f$ select value::boolean $f$;
end $$;

-- Dates, instants and ids stand in one spelling only, so reading them depends on no setting of the session.
create function core.custom_date(custom jsonb, name text) returns date
  language plpgsql immutable strict parallel safe as $$ begin return (custom ->> name)::date; end $$;
create function core.custom_instant(custom jsonb, name text) returns timestamptz
  language plpgsql immutable strict parallel safe as $$ begin return (custom ->> name)::timestamptz; end $$;
create function core.custom_id(custom jsonb, name text) returns uuid
  language plpgsql immutable strict parallel safe as $$ begin return (custom ->> name)::uuid; end $$;
do $$ begin
  alter function core.custom_date(jsonb, text) leakproof;
  alter function core.custom_instant(jsonb, text) leakproof;
  alter function core.custom_id(jsonb, text) leakproof;
exception when insufficient_privilege then null;
end $$;

-- The words of an address, in the order they are written.
create function core.address_text(address jsonb) returns text
  language sql immutable strict parallel safe as $$
    select concat_ws(', ', nullif(address ->> 'line1', ''), nullif(address ->> 'line2', ''), nullif(address ->> 'postalCode', ''),
      nullif(address ->> 'city', ''), nullif(address ->> 'region', ''), nullif(address ->> 'country', '')) $$;

-- What formulas are made of: each answers empty where there is no answer, and never fails on a row.
create function core.quotient(dividend numeric, divisor numeric) returns numeric
  language plpgsql immutable strict parallel safe as $$ begin
    -- Cut after 12 decimals, not rounded to as many as a division happens to give: the same in every program.
    return case when divisor = 0 then null else div(dividend * 1000000000000, divisor) * 0.000000000001 end;
  end $$;
create function core.kept_number(value numeric, scale integer) returns numeric
  language plpgsql immutable strict parallel safe as $$ begin
    return case when abs(value) < 1000000000000000 then round(value, scale) end;
  end $$;
create function core.kept_integer(value numeric) returns integer
  language plpgsql immutable strict parallel safe as $$ begin
    return case when abs(round(value)) <= 2147483647 then round(value)::integer end;
  end $$;
create function core.day_after(day date, days numeric) returns date
  language plpgsql immutable strict parallel safe as $$
  declare moved date;
  begin
    if abs(days) > 1000000 then return null; end if;
    moved := day + trunc(days)::integer;
    return case when moved between '1000-01-01' and '9999-12-31' then moved end;
  end $$;
