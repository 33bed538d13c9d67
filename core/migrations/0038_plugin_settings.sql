-- What a workspace has chosen for each plugin; what it has not stays as the plugin declares it.
create table core.plugin_setting (
  workspace uuid not null references core.workspace (id) on delete cascade,
  plugin text not null,
  chosen jsonb not null default '{}',
  version integer not null default 1,
  updated_at timestamptz not null default now(),
  primary key (workspace, plugin)
);
-- A plugin's code asks for its settings whoever it works for, a partner's people too.
select core.protect('core.plugin_setting', 'select', 'everything', null, 'select');

-- Keys and passwords of other systems, sealed with what the database does not hold.
create table core.plugin_secret (
  workspace uuid not null references core.workspace (id) on delete cascade,
  plugin text not null,
  name text not null,
  sealed text not null,
  primary key (workspace, plugin, name)
);
alter table core.plugin_secret enable row level security;

-- Those of one plugin here, still sealed: a plugin's own code is handed what it gave.
create function core.plugin_secrets(of_plugin text) returns table (name text, sealed text)
  language sql stable security definer set search_path = core, pg_temp as $$
  select s.name, s.sealed from core.plugin_secret s where s.workspace = core.current_workspace() and s.plugin = of_plugin $$;
revoke all on function core.plugin_secrets from public;
grant execute on function core.plugin_secrets to socle_app;

-- Chosen by way of the platform, for whatever workspace.
alter table core.plugin_setting no force row level security;
