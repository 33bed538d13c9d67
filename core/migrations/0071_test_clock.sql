-- The time that a platform under test was given, for all its processes; empty everywhere else. Only the owner reaches it.
create table core.test_clock (
  only_one boolean primary key default true check (only_one),
  instant timestamptz not null,
  -- When by the machine's clock it was given: it runs on from there, unless it stands.
  given_at timestamptz not null,
  frozen boolean not null
);
