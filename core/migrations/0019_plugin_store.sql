-- Modules that come as archives: which of them run past the ranges they declare, and until when their screens are still asked
-- for by tabs that lag.

alter table core.plugin add column forced boolean not null default false;

-- When another version took its place, or the module went.
alter table core.plugin_version add column replaced_at timestamptz;
