-- A provider speaks for a domain of e-mail addresses once its company has shown, in the domain's own DNS, that it is theirs.

alter table core.identity_provider
  add column proved_domains jsonb not null default '[]' check (jsonb_typeof(proved_domains) = 'array' and domains @> proved_domains);
drop index core.identity_provider_domains;
create index identity_provider_domains on core.identity_provider using gin (proved_domains) where enabled and deleted_at is null;
