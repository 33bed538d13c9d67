-- A request whose work failed is broken off and says why, until it is run again.
alter table core.privacy_request
  add column fault text,
  drop constraint privacy_request_state_check,
  add constraint privacy_request_state_check check (state in ('received', 'verified', 'running', 'failed', 'done'));
