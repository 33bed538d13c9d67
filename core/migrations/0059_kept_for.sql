-- How long a company keeps its history and its events.
alter table core.workspace
  add column ledger_months integer not null default 36 check (ledger_months between 6 and 240),
  add column event_days integer not null default 30 check (event_days between 7 and 730);
