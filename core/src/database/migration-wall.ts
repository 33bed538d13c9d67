import { sql } from 'kysely'
import { defineError } from '../errors.ts'
import type { Sql } from './database.ts'
import { appRole } from './session.ts'

/** Ways past row level security, each with what is wrong of it and the way out. */
const openings = {
  view: 'reads as its owner, whom they do not bind. Create it with (security_invoker = true).',
  copy: 'is granted to the application and cannot stand behind them. Take back what was granted on it.',
  table: 'is granted to the application and does not stand behind them. Say core.protect for it.',
  policy: 'lets through what they do not. Leave policies to core.protect.',
  right: 'is granted beyond select, insert, update and delete, where they do not hold. Take the other rights back.',
  definer: 'runs as its owner, whom they do not bind. Leave “security definer” out.',
  leakproof: 'is shown rows before they are looked at. Leave “leakproof” out.',
  rule: 'acts as the owner of its table, whom they do not bind. Write a trigger instead.',
  owner: 'is the application’s own, which could take them down. Leave it to whoever migrates.',
  schema: 'takes what the application creates. Take the right to create there back.',
} as const

/** A way past the walls, and the object that opens it, as `view loans.overview`. */
export interface Opening {
  readonly opening: keyof typeof openings
  readonly what: string
}

export const migrationOpensWall = defineError<{ plugin: string; what: string; opening: Opening['opening'] }>(
  'MIGRATION_OPENS_WALL',
  422,
  ({ plugin, what, opening }) =>
    `The migrations of ${plugin} open the walls between workspaces and were undone: ${what} ${openings[opening]}`,
)

/**
 * The first thing of a schema that leads the application's role past the walls, however it came there.
 *
 * What nobody granted it is behind them anyway; so are what it may not call and what runs as whoever calls it. A function that
 * runs as its owner is none of these even ungranted, for a trigger calls it.
 */
export async function openingIn(db: Sql, schema: string): Promise<Opening | undefined> {
  const { rows } = await sql<Opening>`
    with app as (select oid from pg_roles where rolname = ${appRole}),
    own as (
      select c.oid, c.relkind, c.relowner, c.reloptions, format('%I.%I', n.nspname, c.relname) as name,
        c.relrowsecurity and c.relforcerowsecurity as walled,
        has_table_privilege(${appRole}, c.oid, 'truncate, references, trigger') as overgranted,
        has_table_privilege(${appRole}, c.oid, 'select, insert, update, delete, truncate, references, trigger')
          or has_any_column_privilege(${appRole}, c.oid, 'select, insert, update, references') as granted
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${schema} and c.relkind in ('r', 'p', 'v', 'm', 'f')),
    policies as (
      select o.oid, p.polname, p.polpermissive, p.polcmd, p.polroles,
        -- Exactly what core.protect says; the second wall stands in the first one's comparison, or in policies of its own.
        substring(pg_get_expr(p.polqual, p.polrelid)
          from '^[(]workspace = [(] ?SELECT core[.](current_house|current_workspace)[(][)] AS current_[a-z]+[)][)]$') as wall,
        p.polname = 'workspace' and p.polcmd = '*' and p.polroles = '{0}'
          and pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid) as whole
      from own o join pg_policy p on p.polrelid = o.oid)
    select 'schema' as opening, format('schema %I', ${schema}::text) as what where has_schema_privilege(${appRole}, ${schema}, 'create')
    union all select 'owner', (case o.relkind when 'v' then 'view ' else 'table ' end) || o.name from own o join app on app.oid = o.relowner
    union all select 'view', 'view ' || name from own where relkind = 'v' and granted and not exists (
      select from pg_options_to_table(reloptions) where option_name = 'security_invoker' and option_value::boolean)
    union all select 'copy', (case relkind when 'm' then 'materialized view ' else 'foreign table ' end) || name
      from own where relkind in ('m', 'f') and granted
    union all select 'table', 'table ' || name from own o where relkind in ('r', 'p') and granted and not (walled
      and exists (select from policies p where p.oid = o.oid and p.polpermissive and p.whole and (p.wall = 'current_house' or p.wall = 'current_workspace' and 4 = (
        select count(distinct b.polcmd) from policies b join app on app.oid = any (b.polroles) or b.polroles = '{0}'
        where b.oid = o.oid and not b.polpermissive and b.polcmd in ('r', 'a', 'w', 'd')))))
    union all select 'policy', format('policy %I of table %s', p.polname, o.name) from own o join policies p using (oid)
      where o.granted and p.polpermissive and not (p.whole and p.wall is not null)
    union all select 'right', 'table ' || name from own where relkind in ('r', 'p') and overgranted
    union all select case when f.prosecdef then 'definer' when f.proleakproof then 'leakproof' else 'owner' end, 'function ' || f.oid::regprocedure
      from pg_proc f join pg_namespace n on n.oid = f.pronamespace cross join app
      where n.nspname = ${schema} and (f.prosecdef or f.proleakproof or f.proowner = app.oid)
    union all select 'rule', format('rule %I of table %s', r.rulename, o.name) from own o join pg_rewrite r on r.ev_class = o.oid
      where r.rulename <> '_RETURN'
    limit 1`.execute(db)
  return rows[0]
}
