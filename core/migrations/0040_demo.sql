-- The demonstration is found among all that was ever written, to be taken away again.
create index change_set_demo on core.change_set (workspace, id) where origin = 'demo';
