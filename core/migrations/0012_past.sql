-- What the planner cannot know about the ledger.

-- A change holds a few fields, where `jsonb_each` is taken for a hundred rows: enough to read a whole ledger instead of what
-- changed lately. (Strict, so that it is not inlined and its estimate lost.)
create function core.changed_values(fields jsonb) returns table (field text, old jsonb)
  language sql immutable strict parallel safe rows 3
  as $$ select key, value -> 0 from jsonb_each(fields) $$;

-- One bulk change among small ones makes the average set look large: each is found by its index all the same.
alter function core.verify_ledger(uuid, bigint, integer) set enable_seqscan = off;
alter function core.seal_ledger(uuid, integer, boolean) set enable_seqscan = off;
