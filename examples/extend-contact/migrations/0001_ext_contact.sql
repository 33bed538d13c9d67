-- What loyalty knows of a contact. A row is made when the first of it is written, and goes with the contact.

create table ext_contact (
  workspace uuid not null references core.workspace (id) on delete cascade,
  record uuid not null references core.contact (id) on delete cascade,
  deleted boolean not null default false,
  tier text check (tier in ('bronze', 'silver', 'gold')),
  points integer check (points >= 0),
  member_since date,
  card text,
  primary key (workspace, record)
);
-- Lists walk these: the value, then the record.
create index ext_contact_tier on ext_contact (workspace, tier, record);
create index ext_contact_points on ext_contact (workspace, points, record);
create index ext_contact_member_since on ext_contact (workspace, member_since, record);
create unique index ext_contact_card on ext_contact (workspace, card) where not deleted;
-- A partner's person finds of it what stands beside the contacts they find.
select core.protect('loyalty.ext_contact', 'select, insert, update, delete', 'part', 'record core.contact id');
