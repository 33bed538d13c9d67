-- What hangs on something is found by it when it ends: a foreign key looks for nothing but its own columns.

-- Of each change set that is past its time all entries of the ledger were walked.
drop index core.change_of_set;
create index change_of_set on core.change (change_set);

alter table core.import add unique (workspace, id);
alter table core.import_row
  drop constraint import_row_import_fkey,
  add foreign key (workspace, import) references core.import (workspace, id) on delete cascade;
alter table core.import_key
  drop constraint import_key_import_fkey,
  add foreign key (workspace, import) references core.import (workspace, id) on delete cascade;
alter table core.import_unit
  drop constraint import_unit_import_fkey,
  add foreign key (workspace, import) references core.import (workspace, id) on delete cascade;
alter table core.import_reversal
  drop constraint import_reversal_import_fkey,
  add foreign key (workspace, import) references core.import (workspace, id) on delete cascade;
