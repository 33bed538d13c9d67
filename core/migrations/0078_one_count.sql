-- Mentions are counted in parts of a table since 0077; nobody asks for a whole one any more.
drop function core.count_mentions(uuid, regclass, text, text);
