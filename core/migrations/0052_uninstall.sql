-- Modules that go: what stays of each, and the files into which their data was put away.

alter table core.plugin drop constraint plugin_state_check;
alter table core.plugin add constraint plugin_state_check
  check (state in ('installing', 'installed', 'upgrading', 'quarantined', 'removing', 'removed'));
-- What is under way while it goes: how, and where it was on, so that a failure leaves it as it was.
alter table core.plugin add column removal jsonb;
-- What it was called, for those who look when its code is gone; and rights and settings that wait for it to come back.
alter table core.plugin add column about jsonb;
alter table core.plugin add column kept jsonb;

-- What was in a plugin's tables when it was put away. The file lies in the pieces of the workspace that answers for it: the
-- one whose data it is, or for an archive of all of them (`whole`) the one that installs modules.
drop table core.plugin_archive;
create table core.plugin_archive (
  id uuid primary key,
  workspace uuid not null references core.workspace (id) on delete cascade,
  whole boolean not null,
  plugin text not null,
  version text not null,
  about jsonb not null,
  -- By table: rows and the SHA-256 of their lines.
  checksums jsonb not null,
  sha256 text not null,
  rows bigint not null,
  size bigint not null,
  by_user uuid,
  at timestamptz not null,
  -- It was read back from the pieces and is what was written.
  verified_at timestamptz,
  restored_at timestamptz,
  -- The job that restored it, so that a second run of it finds it done.
  restored_by uuid
);
create index plugin_archive_recent on core.plugin_archive (workspace, at desc, id desc);
select core.protect('core.plugin_archive', 'select');
-- Made, restored and deleted by the platform, for whatever workspace.
alter table core.plugin_archive no force row level security;
