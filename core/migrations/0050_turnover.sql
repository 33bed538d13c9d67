-- The version of a plugin that has prepared a workspace: where another runs, it is yet to take over there.
alter table core.plugin_workspace add column version text;
update core.plugin_workspace w set version = p.version from core.plugin p where p.id = w.plugin;
