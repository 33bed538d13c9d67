-- A subscriber may care for some fields of a record only: a change of others makes no delivery, which is a row, a
-- transaction and a look at the record saved. Null: every event.
alter table core.subscription add column changed text[];
