-- What is kept of refusals is told only to whoever still holds the rights under which it was worded: { digest: rights }.

alter table core.bulk add column told_under jsonb not null default '{}';
alter table core.import add column told_under jsonb not null default '{}';
alter table core.job add column told_under jsonb not null default '{}';
