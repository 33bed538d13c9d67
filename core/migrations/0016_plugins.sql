-- Plugins that come, change and go while the platform runs: where each is from, what it was checked against, what went
-- wrong with it, who is busy with it, and which process has followed.

alter table core.plugin drop constraint plugin_state_check;
alter table core.plugin add constraint plugin_state_check
  check (state in ('installing', 'installed', 'upgrading', 'quarantined', 'removing'));
-- The number of `core.generation` from which on this version is the one to run.
alter table core.plugin add column generation bigint not null default 0;
-- A package of the deployment, or an archive somebody uploaded.
alter table core.plugin add column source text not null default 'deployment' check (source in ('deployment', 'store'));
-- `sha512-` and base64 of the archive (W3C Subresource Integrity); a package of the deployment is locked by its lockfile.
alter table core.plugin add column integrity text;
alter table core.plugin add column signer text;
alter table core.plugin add column manifest jsonb;
alter table core.plugin add column level text check (level in ('bronze', 'silver', 'gold'));

-- Archives by what they hold: every process fetches those it has to run from here.
create table core.plugin_artefact (
  integrity text primary key,
  bytes bytea not null,
  at timestamptz not null default now()
);

create table core.plugin_version (
  plugin text not null,
  version text not null,
  integrity text not null references core.plugin_artefact (integrity),
  manifest jsonb not null,
  signer text,
  installed_at timestamptz not null default now(),
  primary key (plugin, version)
);

-- A version is what it was when somebody consented to it; another content is another version.
create function core.keep_plugin_version() returns trigger language plpgsql as $$
begin
  raise exception 'version % of plugin % is %, and is not replaced', old.version, old.plugin, old.integrity;
end $$;
create trigger keep_plugin_version before update of plugin, version, integrity, manifest on core.plugin_version
  for each row execute function core.keep_plugin_version();

alter table core.plugin_workspace drop constraint plugin_workspace_state_check;
alter table core.plugin_workspace add constraint plugin_workspace_state_check
  check (state in ('enabling', 'enabled', 'disabling', 'disabled', 'quarantined'));
-- Why it is quarantined here, as an administrator reads it.
alter table core.plugin_workspace add column reason text;

-- One operation on a plugin at a time over all processes; that of a process that died is nobody's.
create table core.plugin_operation (
  plugin text primary key,
  operation text not null,
  by_user uuid,
  by_name text not null,
  process uuid not null,
  since timestamptz not null default now()
);

-- Where a plugin failed. The same fault in the same place is one row that counts.
create table core.plugin_incident (
  id uuid primary key,
  plugin text not null,
  -- Absent where it concerns the installation, such as code that does not load.
  workspace uuid references core.workspace (id) on delete cascade,
  kind text not null,
  code text not null,
  detail text not null,
  stack text not null,
  fingerprint text not null,
  count integer not null default 1,
  first_at timestamptz not null,
  last_at timestamptz not null,
  unique nulls not distinct (plugin, workspace, kind, fingerprint)
);
create index plugin_incident_recent on core.plugin_incident (plugin, last_at desc);
alter table core.plugin_incident enable row level security;
alter table core.plugin_incident force row level security;
create policy workspace on core.plugin_incident
  using ((select core.current_house()) is not null and (workspace is null or workspace = (select core.current_house())));
grant select on core.plugin_incident to socle_app;
-- Kept by the platform, for whatever workspace.
alter table core.plugin_incident no force row level security;

-- Processes of this installation, and the generation each has followed to.
create table core.process (
  id uuid primary key,
  role text not null,
  applied_generation bigint not null,
  started_at timestamptz not null,
  seen_at timestamptz not null
);

-- What was in a plugin's tables when it was put away, of one workspace or of all.
create table core.plugin_archive (
  id uuid primary key,
  plugin text not null,
  version text not null,
  workspace uuid references core.workspace (id) on delete cascade,
  file uuid not null,
  checksums jsonb not null,
  at timestamptz not null default now()
);

-- A subscriber hears one version of its event, or any where it says none.
alter table core.subscription add column version integer;
alter table core.subscription add column while_disabled text not null default 'hold' check (while_disabled in ('hold', 'drop'));
alter table core.subscription add column after_dead_letter text not null default 'hold-record'
  check (after_dead_letter in ('hold-record', 'continue'));
