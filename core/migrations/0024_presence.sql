-- When the person of a session last showed that it is them: by signing in, or since. Null where a provider let them pass
-- without saying when it asked them.
alter table core.session add column present_at timestamptz;
update core.session set present_at = created_at where provider is null;
