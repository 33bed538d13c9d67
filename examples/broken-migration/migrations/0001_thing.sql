create table thing (id uuid primary key);
create table thing (id uuid primary key);
