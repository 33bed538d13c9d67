-- Until when changes of the company may be gone from its ledger. Everybody may hear it who reads the past; of the chain no more.
create function core.ledger_gone_until() returns timestamptz
  language sql stable security definer set search_path = core, pg_temp as $$
  select c.until from core.ledger_checkpoint c where c.workspace = core.current_workspace()
$$;
revoke all on function core.ledger_gone_until from public;
grant execute on function core.ledger_gone_until to socle_app;
