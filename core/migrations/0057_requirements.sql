-- What a module of the deployment needs, for those who take modules away without any of their code; one that came as an archive
-- says so in its manifest.
alter table core.plugin add column requires jsonb;
