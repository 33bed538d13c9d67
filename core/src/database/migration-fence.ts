import { sql } from 'kysely'
import type { Sql } from './database.ts'

/** What stands outside a schema, each with a print of what it is. */
type Outside = ReadonlyMap<string, string>

/**
 * What a migration of one schema must leave as it is: tables, columns, rules, triggers, functions and rights of all others,
 * roles and extensions; and, by PostgreSQL's own count of this transaction, the rows of their tables.
 *
 * A foreign key to another's table hangs internal triggers on it, which are not counted: it may point at the core's.
 */
export async function outsideOf(db: Sql, schema: string): Promise<Outside> {
  const { rows } = await sql<{ what: string; print: string }>`
    with outside as (
      select oid, nspname from pg_namespace
      where nspname <> ${schema} and nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_(toast|temp)'),
    tables as (select c.*, n.nspname from pg_class c join outside n on n.oid = c.relnamespace)
    select 'schema ' || n.nspname as what, md5(row(n.nspowner, n.nspacl)::text) as print
      from pg_namespace n join outside using (oid)
    union all select 'table ' || nspname || '.' || relname,
        md5(row(oid, relkind, relowner, relacl, relrowsecurity, relforcerowsecurity, relchecks, reloptions)::text)
      from tables
    union all select 'column ' || t.nspname || '.' || t.relname || '.' || a.attname,
        md5(row(a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attacl, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))::text)
      from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all select 'constraint ' || n.nspname || '.' || c.conname || ' ' || c.oid, md5(row(c.convalidated, c.condeferrable, pg_get_constraintdef(c.oid))::text)
      from pg_constraint c join outside n on n.oid = c.connamespace
    union all select 'trigger ' || t.nspname || '.' || t.relname || '.' || g.tgname, md5(row(g.tgenabled, g.tgfoid, g.tgtype)::text)
      from tables t join pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal
    union all select 'policy ' || t.nspname || '.' || t.relname || '.' || p.polname, md5(row(p.polcmd, p.polpermissive, p.polroles, p.polqual, p.polwithcheck)::text)
      from tables t join pg_policy p on p.polrelid = t.oid
    union all select 'rule ' || t.nspname || '.' || t.relname || '.' || r.rulename, md5(pg_get_ruledef(r.oid))
      from tables t join pg_rewrite r on r.ev_class = t.oid
    union all select 'function ' || n.nspname || '.' || f.proname || ' ' || f.oid, md5(row(f.prosrc, f.proacl, f.prosecdef, f.proconfig, f.proowner, f.prolang)::text)
      from pg_proc f join outside n on n.oid = f.pronamespace
    union all select 'type ' || n.nspname || '.' || y.typname || ' ' || y.oid, md5(row(y.typtype, y.typowner, y.typnotnull, y.typdefault)::text)
      from pg_type y join outside n on n.oid = y.typnamespace
    union all select 'role ' || r.rolname,
        md5(row(r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconfig)::text)
      from pg_roles r
    union all select 'settings of ' || coalesce(r.rolname::text, 'a database'), md5(row(d.setdatabase, d.setconfig)::text)
      from pg_db_role_setting d left join pg_roles r on r.oid = d.setrole
    union all select 'membership ' || m.roleid || ' ' || m.member, '' from pg_auth_members m
    union all select 'extension ' || extname, extversion from pg_extension
    union all select 'event trigger ' || evtname, evtenabled::text from pg_event_trigger
    union all select 'default rights ' || d.oid, coalesce(d.defaclacl::text, '') from pg_default_acl d
    union all select 'rows of ' || s.schemaname || '.' || s.relname, row(s.n_tup_ins, s.n_tup_upd, s.n_tup_del)::text
      from pg_stat_xact_user_tables s join outside n on n.nspname = s.schemaname`.execute(db)
  return new Map(rows.map(({ what, print }) => [what, print]))
}

/** The first thing that is not as it was. */
export function touched(before: Outside, after: Outside): string | undefined {
  const changed = [...after].find(([what, print]) => before.get(what) !== print && !isUncounted(what, print, before))
  return changed?.[0] ?? [...before.keys()].find((what) => !after.has(what))
}

// A table is counted from its first use in the transaction on, and reading is one.
function isUncounted(what: string, print: string, before: Outside): boolean {
  return what.startsWith('rows of ') && !before.has(what) && print === '(0,0,0)'
}

/** Comments and texts, in which no statement begins. PostgreSQL manual, section 4.1. */
const silent =
  /--[^\n\r]*|\/\*[\s\S]*?\*\/|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*|)\$[\s\S]*?\$\1\$/g

const leaving =
  /^(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|discard|reset\s+(?:role|session|all)|set\s+(?:local\s+|session\s+)?(?:role|session|transaction)|listen|notify|copy|vacuum|cluster|alter\s+system)\b/i

/** A statement that would end the transaction of its migration, or do its work outside it. */
export function forbiddenBeginning(text: string): string | undefined {
  const statements = text.replaceAll(silent, ' ').split(';')
  return statements.map((it) => leaving.exec(it.trim())?.[0]).find((it) => it !== undefined)
}
