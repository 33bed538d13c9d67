-- A domain that was proved is looked at again every night, and what was not found is kept: { domain: { days, since, last } },
-- the days as the company counts them.
alter table core.identity_provider
  add column missed_proofs jsonb not null default '{}' check (jsonb_typeof(missed_proofs) = 'object');
