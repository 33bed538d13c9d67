-- Who may be written to, and how a person leaves: objections and suppression, requests, erasure and its proof, retention.

-- Rows that are written once, whoever asks: they go with their workspace only.
create function core.refuse_altering() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and not exists (select from core.workspace w where w.id = old.workspace) then return old; end if;
  raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- All of this room is closed to partner sessions. What asks whether somebody may be written to, or may come back, must find
-- all of it whoever's session it is: functions with their owner's rights answer with a word.

-- The consent base -----------------------------------------------------------------------------------------------------

-- What people were shown or told when they objected; the company's words, not the person's.
create table core.consent_wording (
  workspace uuid not null references core.workspace (id) on delete cascade,
  hash bytea not null,
  wording text not null,
  at timestamptz not null,
  primary key (workspace, hash)
);
select core.protect('core.consent_wording', 'select, insert');
create function core.keep_wording() returns trigger language plpgsql as $$
begin
  -- Somebody may have been named in it: the words may go, their digest stays.
  if to_jsonb(new) = to_jsonb(old) || '{"wording": ""}' then return new; end if;
  raise exception 'consent_wording is append-only' using errcode = 'restrict_violation';
end $$;
create trigger wording_is_kept before update on core.consent_wording for each row execute function core.keep_wording();
create trigger wording_stays before delete on core.consent_wording for each row execute function core.refuse_altering();

-- Objections, withdrawals and their reversals. Nothing in a row tells who it is about but an id and keyed hashes, and its
-- words are names of things, so that none of it has to go when the person does, and the chain stays whole.
create table core.opt_out (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  position bigint not null,
  person_resource text,
  person uuid,
  address_hash bytea,
  channel text not null check (channel in ('mail', 'sms', 'phone', 'post', 'any')),
  -- `all`, or the id of a topic a plugin names.
  scope text not null check (scope ~ '^[[:alnum:]._:/-]+$'),
  action text not null check (action in ('objection', 'withdrawal', 'reversal')),
  source text not null check (source ~ '^[[:alnum:]._:/-]+$'),
  -- Which text it was, and the digest of its words.
  wording_id text check (wording_id ~ '^[[:alnum:]._:/-]+$'),
  wording_hash bytea,
  -- Keyed hash of what it is known by where it came from: told twice, it is recorded once.
  proof_key bytea not null,
  at timestamptz not null,
  recorded_at timestamptz not null,
  recorded_by uuid,
  recorded_by_type text not null,
  prev_hash bytea not null,
  hash bytea not null,
  unique (workspace, position),
  constraint opt_out_proof unique (workspace, proof_key),
  -- What has not been said yet would outweigh all that is said until then.
  check (at <= recorded_at),
  check (num_nonnulls(person, address_hash) > 0),
  check ((person is null) = (person_resource is null)),
  foreign key (workspace, wording_hash) references core.consent_wording (workspace, hash)
);
create index opt_out_of_person on core.opt_out (workspace, person, at desc, position desc) where person is not null;
create index opt_out_of_address on core.opt_out (workspace, address_hash, at desc, position desc) where address_hash is not null;
select core.protect('core.opt_out', 'select, insert');
create trigger opt_out_is_append_only before update or delete on core.opt_out for each row execute function core.refuse_altering();
create trigger opt_out_is_not_emptied before truncate on core.opt_out execute function core.refuse_truncation();

create function core.opt_out_digest(of_row core.opt_out) returns bytea
  language sql stable as $$
  select sha256(of_row.prev_hash || convert_to(jsonb_build_array(of_row.id, of_row.workspace, of_row.position, of_row.person_resource, of_row.person,
    encode(of_row.address_hash, 'hex'), of_row.channel, of_row.scope, of_row.action, of_row.source, of_row.wording_id,
    encode(of_row.wording_hash, 'hex'), encode(of_row.proof_key, 'hex'), (extract(epoch from of_row.at) * 1000000)::bigint,
    (extract(epoch from of_row.recorded_at) * 1000000)::bigint, of_row.recorded_by, of_row.recorded_by_type)::text, 'UTF8')) $$;

-- The database draws the place and the link, so that no writer can make them up. Objections of one company wait for each other;
-- they are few beside its other writes, and an order that everybody agrees on is what makes them proof.
create function core.chain_opt_out() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('core.opt_out ' || new.workspace, 2));
  select o.position + 1, o.hash into new.position, new.prev_hash
    from core.opt_out o where o.workspace = new.workspace order by o.position desc limit 1;
  if not found then
    new.position := 1;
    new.prev_hash := sha256(convert_to(new.workspace::text, 'UTF8'));
  end if;
  new.hash := core.opt_out_digest(new);
  return new;
end $$;
create trigger opt_out_is_chained before insert on core.opt_out for each row execute function core.chain_opt_out();

-- First place where the chain does not hold; null where it does.
create function core.opt_out_fault(in_workspace uuid) returns bigint
  language sql stable as $$
  select min(o.position) from (
    select c.position, c.hash <> core.opt_out_digest(c) as altered,
      c.prev_hash <> coalesce(lag(c.hash) over (order by c.position), sha256(convert_to(in_workspace::text, 'UTF8'))) as unlinked,
      c.position <> row_number() over (order by c.position) as displaced
    from core.opt_out c where c.workspace = in_workspace) o
  where o.altered or o.unlinked or o.displaced $$;

-- Addresses nobody is to be written to at, whoever they belong to. Only the keyed hash is kept: it outlives an erasure and
-- meets the address again when it comes back with a file.
create table core.suppression (
  workspace uuid not null references core.workspace (id) on delete cascade,
  address_hash bytea not null,
  channel text not null check (channel in ('mail', 'sms', 'phone', 'post', 'any')),
  reason text not null check (reason in ('erased', 'complaint', 'bounce', 'manual')),
  at timestamptz not null,
  by_user uuid,
  lifted_at timestamptz,
  lifted_by uuid,
  lift_reason text,
  primary key (workspace, address_hash, channel),
  check ((lifted_at is null) = (lift_reason is null))
);
select core.protect('core.suppression', 'select, insert, update');

-- Every record that is the same person: merged into one another, or a lead and the contact it became.
create function core.same_person(of_resource text, of_person uuid) returns table (resource text, record uuid)
  language sql stable as $$
  with recursive self as (
    select of_resource as resource, of_person as record
    union
    select other.resource, other.record from self cross join lateral (
      select m.resource, m.record from core.merged_record m
      where m.workspace = core.current_workspace() and m.resource = self.resource and m.survivor = self.record
      union all
      select m.resource, m.survivor from core.merged_record m
      where m.workspace = core.current_workspace() and m.resource = self.resource and m.record = self.record
      union all
      select 'core.lead', l.id from core.lead l
      where self.resource = 'core.contact' and l.workspace = core.current_workspace() and l.contact_id = self.record
      union all
      select 'core.contact', l.contact_id from core.lead l
      where self.resource = 'core.lead' and l.workspace = core.current_workspace() and l.id = self.record and l.contact_id is not null) other)
  select self.resource, self.record from self $$;

-- Why nobody may write here now: `suppressed`, `opted-out`, or null where one may. The one question every sender asks, in the
-- statement that hands a message over. Person and address are each asked alone: a colleague who shares a mailbox and takes
-- an objection back takes back his own.
create function core.contact_refusal(of_channel text, of_address bytea, of_resource text, of_person uuid, of_scope text default 'all') returns text
  language sql stable security definer set search_path = core, pg_temp as $$
  select case
    when exists (
      select from core.suppression s where s.workspace = core.current_workspace() and s.address_hash = of_address
        and s.channel in (of_channel, 'any') and s.lifted_at is null) then 'suppressed'
    when (select o.action <> 'reversal' from core.opt_out o
      where o.workspace = core.current_workspace() and o.address_hash = of_address and o.channel in (of_channel, 'any') and o.scope in (of_scope, 'all')
      order by o.at desc, o.position desc limit 1) then 'opted-out'
    when (select o.action <> 'reversal' from core.same_person(of_resource, of_person) p
      join core.opt_out o on o.workspace = core.current_workspace() and o.person = p.record and o.person_resource = p.resource
      where o.channel in (of_channel, 'any') and o.scope in (of_scope, 'all')
      order by o.at desc, o.position desc limit 1) then 'opted-out'
  end $$;
revoke all on function core.contact_refusal from public;
grant execute on function core.contact_refusal to socle_app;

-- Requests ---------------------------------------------------------------------------------------------------------------

create table core.privacy_request (
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
  number text not null,
  kind text not null check (kind in ('access', 'erasure')),
  subject_resource text not null check (subject_resource in ('core.contact', 'core.lead')),
  subject_record uuid not null,
  state text not null default 'received' check (state in ('received', 'verified', 'running', 'done')),
  -- Who asked, where it is not the person themselves, and how it was made sure that they may.
  requested_by text,
  identity_check text,
  received_on date not null,
  due_on date not null,
  verified_at timestamptz,
  verified_by uuid,
  job uuid,
  plan jsonb,
  planned_at timestamptz,
  done_at timestamptz,
  certificate_id uuid,
  file_size bigint,
  file_until timestamptz,
  unique (workspace, id),
  constraint privacy_request_verified check (state = 'received' or (verified_at is not null and identity_check is not null) or done_at is not null)
);
create unique index privacy_request_number on core.privacy_request (workspace, number);
create index privacy_request_created on core.privacy_request (workspace, created_at, id) where deleted_at is null;
create index privacy_request_due on core.privacy_request (workspace, state, due_on, id) where deleted_at is null;
create index privacy_request_subject on core.privacy_request (workspace, subject_record);
select core.protect('core.privacy_request');

-- Proof of what was done, without a word of whom it was done to. `body` is the text that was hashed and signed.
create table core.certificate (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  position bigint not null,
  kind text not null check (kind in ('erasure', 'retention')),
  request uuid,
  body text not null,
  prev_hash bytea not null,
  hash bytea not null check (hash = sha256(prev_hash || convert_to(body, 'UTF8'))),
  signature bytea not null,
  at timestamptz not null,
  unique (workspace, position),
  unique (workspace, id)
);
create unique index certificate_of_request on core.certificate (workspace, request) where request is not null;
select core.protect('core.certificate', 'select, insert');
create trigger certificate_is_append_only before update or delete on core.certificate for each row execute function core.refuse_altering();
create trigger certificate_is_not_emptied before truncate on core.certificate execute function core.refuse_truncation();

-- What an erased person would be known by if they came back: keyed hashes, of addresses and of what else names them.
create table core.tombstone (
  workspace uuid not null references core.workspace (id) on delete cascade,
  kind text not null check (kind in ('email', 'phone', 'phone-name', 'birth', 'record')),
  hash bytea not null,
  run uuid not null,
  at timestamptz not null,
  lifted_at timestamptz,
  lifted_by uuid,
  lift_reason text,
  primary key (workspace, kind, hash),
  check ((lifted_at is null) = (lift_reason is null))
);
create index tombstone_of_run on core.tombstone (workspace, run);
select core.protect('core.tombstone', 'select, insert, update');

-- Whether an erased person would come back by any of these marks, and whether there is no tombstone at all.
create function core.tombstone_stands(kinds text[], hashes text[], out found boolean, out is_empty boolean)
  language sql stable security definer set search_path = core, pg_temp as $$
  select exists (
      select from unnest(kinds, hashes) as m (kind, hash) join core.tombstone t
        on t.workspace = core.current_workspace() and t.kind = m.kind and t.hash = decode(m.hash, 'hex')
      where t.lifted_at is null),
    not exists (select from core.tombstone t where t.workspace = core.current_workspace())
$$;
revoke all on function core.tombstone_stands from public;
grant execute on function core.tombstone_stands to socle_app;

-- Erasing ------------------------------------------------------------------------------------------------------------------

-- One going-away in progress, of a person or of what a retention rule found. `terms` are what the person is named by
-- elsewhere: gone with the row when it is over.
create table core.erasure (
  workspace uuid not null references core.workspace (id) on delete cascade,
  run uuid not null,
  -- { pattern, texts }
  terms jsonb not null default '{}',
  -- { step, table, block }: where it goes on.
  place jsonb not null default '{}',
  counts jsonb not null default '{}',
  at timestamptz not null,
  primary key (workspace, run)
);
select core.protect('core.erasure');

-- Which records go, how, and which stay although they are about the person. `person` is blanked and taken off; `about` is
-- blanked; `row` is deleted; `held` stays, and nothing in it is touched.
create table core.erasure_target (
  workspace uuid not null references core.workspace (id) on delete cascade,
  run uuid not null,
  resource text not null,
  record uuid not null,
  how text not null check (how in ('person', 'about', 'row', 'held', 'used')),
  basis text,
  done boolean not null default false,
  primary key (workspace, run, resource, record),
  foreign key (workspace, run) references core.erasure (workspace, run) on delete cascade
);
create index erasure_target_left on core.erasure_target (workspace, run, done, resource, record);
select core.protect('core.erasure_target');

create function core.demand_erasure(of_run uuid) returns void language plpgsql stable as $$
begin
  if not exists (select from core.erasure e where e.workspace = core.current_workspace() and e.run = of_run) then
    raise exception 'no erasure % is under way here', of_run using errcode = 'insufficient_privilege';
  end if;
end $$;

-- A JSON document whose texts are gone but for ids and instants, which others read it by.
create function core.without_texts(value jsonb) returns jsonb
  language sql immutable parallel safe strict as $$
  select regexp_replace(value::text,
    '([:\[,]\s*)"(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"|\d{4}-\d\d-\d\d)(?:[^"\\]|\\.)*"(?!\s*:)', '\1""', 'g')::jsonb $$;

-- Which lines became a record, or changed it.
create index import_row_record on core.import_row (workspace, record) where record is not null;

-- What was learnt of a file's columns tells of all its lines, and the file itself tells everything. Answers how many pieces.
create function core.forget_files(imports uuid[]) returns bigint
  language plpgsql set search_path = core, public, pg_temp as $$
declare
  found bigint;
begin
  update core.import i set aliases = '[]', columns = (
      select coalesce(jsonb_agg((c.value - 'values') || '{"samples": [], "values": null}'), '[]') from jsonb_array_elements(i.columns) c)
    where i.workspace = core.current_workspace() and i.id = any (imports);
  delete from core.file_piece p where p.workspace = core.current_workspace() and p.file = any (imports);
  get diagnostics found = row_count;
  return found;
end $$;

-- Everything the engine keeps about some records beside their own rows: ledger values with their salts, words of the search,
-- duplicate keys, lines of files, answers kept for a repeated request, what events said. Only records that an erasure
-- under way has listed.
create function core.erase_traces(of_run uuid, records uuid[]) returns jsonb
  language plpgsql security definer set search_path = core, public, pg_temp as $$
declare
  here uuid := core.current_workspace();
  listed uuid[];
  imports uuid[];
  found bigint;
  counts jsonb := '{}';
begin
  perform core.demand_erasure(of_run);
  select array_agg(t.record) into listed from core.erasure_target t
    where t.workspace = here and t.run = of_run and t.how in ('person', 'about', 'row') and t.record = any (records);
  if listed is null then return counts; end if;

  update core.change c set fields = '{}', salt = null where c.workspace = here and c.record = any (listed) and c.salt is not null;
  get diagnostics found = row_count;
  counts := counts || jsonb_build_object('ledger', found);
  delete from core.search_document d where d.workspace = here and d.record = any (listed);
  delete from core.duplicate_key k where k.workspace = here and k.record = any (listed);
  delete from core.duplicate_due k where k.workspace = here and k.record = any (listed);
  delete from core.duplicate_pair p where p.workspace = here and (p.a = any (listed) or p.b = any (listed));

  select array_agg(distinct r.import) into imports from core.import_row r where r.workspace = here and r.record = any (listed);
  update core.import_row r set cells = null, outcome = null
    where r.workspace = here and r.record = any (listed) and num_nonnulls(r.cells, r.outcome) > 0;
  get diagnostics found = row_count;
  counts := counts || jsonb_build_object('importLines', found);
  delete from core.import_key k where k.workspace = here and k.import = any (imports)
    and exists (select from core.import_row r where r.workspace = here and r.import = k.import and r.line = k.line and r.record = any (listed));
  counts := counts || jsonb_build_object('importFiles', core.forget_files(imports));

  delete from core.idempotency a where a.workspace = here and a.body ~ array_to_string(listed, '|');
  update core.event e set payload = core.without_texts(e.payload)
    where e.workspace = here and e.key = any (listed) and not e.payload ? 'changed' and e.payload <> core.without_texts(e.payload);
  update core.delivery d set last_error = '' where d.workspace = here and d.key = any (listed) and d.last_error is not null;
  return counts;
end $$;

-- Columns of a table that hold words.
create function core.text_columns(place regclass) returns table (name text, type text)
  language sql stable as $$
  select a.attname::text, format_type(a.atttypid, a.atttypmod) from pg_attribute a
  where a.attrelid = place and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype, 'text[]'::regtype) $$;

-- Whether somebody is named in a value. Of a document its texts are read, as they are and not as they are written down: neither
-- its figures nor its keys are anybody's.
create function core.names_somebody(value text, pattern text) returns boolean
  language sql immutable parallel safe as $$ select value ~* pattern $$;
create function core.names_somebody(value text[], pattern text) returns boolean
  language sql immutable parallel safe as $$ select exists (select from unnest(value) e (word) where e.word ~* pattern) $$;
create function core.texts_name_somebody(value jsonb, pattern text) returns boolean
  language sql immutable parallel safe as $$
  select exists (select from jsonb_path_query(value, 'strict $.** ? (@.type() == "string")') s (word) where s.word #>> '{}' ~* pattern) $$;
-- The whole first, which is quick and nearly always enough.
create function core.names_somebody(value jsonb, pattern text) returns boolean
  language sql immutable parallel safe as $$ select value::text ~* pattern and core.texts_name_somebody(value, pattern) $$;

-- A value in which a mark stands wherever somebody was named.
create function core.without_mentions(value text, pattern text, mark text) returns text
  language sql immutable parallel safe as $$ select regexp_replace(value, pattern, mark, 'gi') $$;
create function core.without_mentions(value text[], pattern text, mark text) returns text[]
  language sql immutable parallel safe strict as $$
  select array(select regexp_replace(e.word, pattern, mark, 'gi') from unnest(value) with ordinality e (word, nth) order by e.nth) $$;
create function core.without_mentions(value jsonb, pattern text, mark text) returns jsonb
  language plpgsql immutable parallel safe strict as $$
begin
  case jsonb_typeof(value)
    when 'string' then return to_jsonb(regexp_replace(value #>> '{}', pattern, mark, 'gi'));
    when 'array' then return (
      select coalesce(jsonb_agg(core.without_mentions(e.value, pattern, mark) order by e.nth), '[]')
      from jsonb_array_elements(value) with ordinality e (value, nth));
    when 'object' then return (
      select coalesce(jsonb_object_agg(e.key, core.without_mentions(e.value, pattern, mark)), '{}') from jsonb_each(value) e);
    else return value;
  end case;
end $$;

-- Whether a word stands in some bytes by itself, and not as a part of a longer one.
create function core.holds_word(bytes bytea, word bytea) returns boolean
  language plpgsql immutable parallel safe strict as $$
declare
  rest bytea := bytes;
  before text := '';
  place integer;
begin
  loop
    place := position(word in rest);
    if place = 0 then return false; end if;
    if place > 1 then before := chr(greatest(get_byte(rest, place - 2), 1)); end if;
    if before !~ '[0-9A-Za-z]' and (octet_length(rest) < place + octet_length(word)
      or chr(greatest(get_byte(rest, place + octet_length(word) - 1), 1)) !~ '[0-9A-Za-z]') then return true; end if;
    before := chr(greatest(get_byte(rest, place - 1), 1));
    rest := substring(rest from place + 1);
  end loop;
end $$;

-- Takes the words by which somebody is named out of a part of one table: in texts and documents they give way to a mark; a
-- line of the ledger loses its values; an answer kept for a repeated request goes. Answers how many rows.
create function core.erase_mentions(of_run uuid, place regclass, pattern text, mark text, first_block bigint, last_block bigint) returns bigint
  language plpgsql security definer set search_path = core, public, pg_temp as $$
declare
  here uuid := core.current_workspace();
  imports uuid[];
  within text := format('t.workspace = %L and t.ctid >= %L::tid and t.ctid < %L::tid', here, format('(%s,0)', first_block), format('(%s,0)', last_block));
  assignments text;
  matches text;
  found bigint;
begin
  perform core.demand_erasure(of_run);
  if place = 'core.change'::regclass then
    execute format('update %s t set fields = ''{}'', salt = null where %s and t.salt is not null and core.names_somebody(t.fields, %L)
      and not exists (select from core.erasure_target h where h.workspace = t.workspace and h.run = %L and h.resource = t.resource and h.record = t.record and h.how = ''held'')',
      place, within, pattern, of_run);
  elsif place = 'core.change_set'::regclass then
    execute format('update %s t set actor_name = '''', reason = null, salt = null where %s and t.salt is not null and t.reason ~* %L', place, within, pattern);
  elsif place in ('core.idempotency'::regclass, 'core.import_key'::regclass) then
    execute format('delete from %s t where %s and t::text ~* %L', place, within, pattern);
  elsif place = 'core.consent_wording'::regclass then
    execute format('update %s t set wording = '''' where %s and t.wording ~* %L', place, within, pattern);
  elsif place = 'core.import_row'::regclass then
    -- A line that names somebody tells more of them, and so do the file and what was learnt of its columns.
    execute format('with gone as (update %s t set cells = null, outcome = null where %s and num_nonnulls(t.cells, t.outcome) > 0
      and (core.names_somebody(t.cells, %L) or core.names_somebody(t.outcome, %3$L)) returning t.import) select array_agg(import) from gone', place, within, pattern) into imports;
    perform core.forget_files(imports);
    return coalesce(array_length(imports, 1), 0);
  else
    select string_agg(format('%1$I = core.without_mentions(t.%1$I, %2$L, %3$L)::%4$s', c.name, pattern, mark, c.type), ', '),
           string_agg(format('core.names_somebody(t.%I, %L)', c.name, pattern), ' or ')
      into assignments, matches from core.text_columns(place) c;
    if assignments is null then return 0; end if;
    execute format('update %s t set %s where %s and (%s)', place, assignments, within, matches);
  end if;
  get diagnostics found = row_count;
  return found;
end $$;

-- Every table of every workspace's that holds words, with its size in blocks.
create function core.tables_with_words() returns table (place regclass, blocks bigint)
  language sql stable security definer set search_path = core, pg_temp as $$
  select c.oid::regclass, pg_relation_size(c.oid) / current_setting('block_size')::bigint + 1
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
    and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace' and not a.attisdropped)
    and exists (select from core.text_columns(c.oid::regclass))
  order by n.nspname, c.relname $$;

-- Rows of a table in which somebody is named, but for those the run has listed as theirs or as held.
create function core.count_mentions(of_run uuid, place regclass, of_resource text, pattern text) returns bigint
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
  execute format('select count(*) from %s t where t.workspace = %L and (%s) and not exists (
    select from core.erasure_target e where e.workspace = t.workspace and e.run = %L and %s)', place, core.current_workspace(), matches, of_run, listed) into found;
  return found;
end $$;

revoke all on function core.forget_files, core.erase_traces, core.erase_mentions, core.count_mentions, core.tables_with_words from public;
grant execute on function core.erase_traces, core.erase_mentions, core.count_mentions, core.tables_with_words to socle_app;

-- Retention ------------------------------------------------------------------------------------------------------------------

create table core.retention_rule (
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
  name text not null check (btrim(name) <> ''),
  resource text not null,
  condition text not null check (btrim(condition) <> ''),
  action text not null check (action in ('delete', 'anonymise')),
  grace_days integer not null default 30 check (grace_days between 0 and 3650),
  active boolean not null default false,
  rehearsed text,
  fault text,
  last_run_at timestamptz,
  unique (workspace, id)
);
create unique index retention_rule_name on core.retention_rule (workspace, lower(name)) where deleted_at is null;
create index retention_rule_created on core.retention_rule (workspace, created_at, id) where deleted_at is null;
select core.protect('core.retention_rule');

-- Since when a rule's condition has held for a record; it goes when that is longer than the rule's grace.
create table core.retention_due (
  workspace uuid not null references core.workspace (id) on delete cascade,
  rule uuid not null,
  record uuid not null,
  since date not null,
  primary key (workspace, rule, record),
  foreign key (workspace, rule) references core.retention_rule (workspace, id) on delete cascade
);
create index retention_due_since on core.retention_due (workspace, rule, since, record);
select core.protect('core.retention_due');

-- What each night came to.
create table core.retention_run (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  rule uuid not null,
  resource text not null,
  action text not null,
  condition text not null,
  matched bigint not null,
  gone bigint not null,
  held bigint not null,
  used bigint not null,
  certificate uuid,
  at timestamptz not null,
  foreign key (workspace, certificate) references core.certificate (workspace, id)
);
create index retention_run_recent on core.retention_run (workspace, rule, at desc);
select core.protect('core.retention_run', 'select, insert');

-- Masked values --------------------------------------------------------------------------------------------------------

-- That somebody had a masked value shown, and why. The value is not here.
create table core.unmasking (
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
  record uuid not null,
  field text not null,
  reason text not null
);
create index unmasking_recent on core.unmasking (workspace, created_at desc, id desc);
create index unmasking_of_record on core.unmasking (workspace, resource, record);
select core.protect('core.unmasking');
