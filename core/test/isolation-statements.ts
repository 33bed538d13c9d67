import fc from 'fast-check'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../src/context.ts'
import { systemAuthority } from '../src/permissions/system-authority.ts'
import { systemActor } from '../src/kernel.ts'
import type { UnitSpec } from '../src/parts.ts'
import { boreal } from './partner-world.ts'
import { canary, type IsolationWorld, type Side } from './isolation-world.ts'

type Arbitrary<T = unknown> = fc.Arbitrary<T>

/** Statements as they were drawn, and through which of a unit's handles they go. */
export interface Script {
  readonly through: 'sql' | 'em'
  readonly statements: readonly string[]
}

/** Scripts that try to leave the unit they run in, and statements that look around from where they stand then. */
export async function scripts(world: IsolationWorld, side: Side): Promise<Arbitrary<Script>> {
  const { owner } = world.app.app.kernel.parts.database
  const catalogue = await sql<{ name: string }>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm') and (n.nspname in ('pg_catalog', 'information_schema', 'public') or n.nspname = 'jobs')`.execute(
    owner,
  )
  const functions = await sql<{ name: string; types: string[] }>`
    select p.oid::regproc::text as name, array(select format_type(t, null) from unnest(p.proargtypes) t) as types
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('core', 'sales', 'deals') and p.prorettype <> 'trigger'::regtype and p.prokind = 'f'`.execute(
    owner,
  )
  const draw = new StatementDraw({
    side,
    places: [...world.tables, ...world.tables, ...catalogue.rows.map(({ name }) => name)],
    functions: functions.rows,
    workspace: world.other.workspace.id,
  })
  return fc.record({
    through: fc.constantFrom('sql', 'sql', 'em'),
    statements: fc.array(draw.statement(), { minLength: 1, maxLength: 4 }),
  }) as Arbitrary<Script>
}

class StatementDraw {
  readonly #places: readonly string[]
  readonly #functions: readonly { readonly name: string; readonly types: readonly string[] }[]
  readonly #ids: readonly string[]
  readonly #workspace: string

  constructor({
    side,
    places,
    functions,
    workspace,
  }: {
    side: Side
    places: readonly string[]
    functions: readonly { readonly name: string; readonly types: readonly string[] }[]
    workspace: string
  }) {
    this.#places = places
    this.#functions = functions
    this.#ids = [...side.foreign.values()].flat()
    this.#workspace = workspace
  }

  statement(): Arbitrary<string> {
    const looks = fc.oneof(this.#look(), this.#call())
    return fc.oneof(
      { weight: 3, arbitrary: looks },
      { weight: 2, arbitrary: this.#hidden(this.#escape()) },
      { weight: 1, arbitrary: fc.tuple(this.#hidden(this.#escape()), looks).map(([a, b]) => `${a}; ${b}`) },
    )
  }

  /** What would leave the role, the workspace, the partner or the transaction. */
  #escape(): Arbitrary<string> {
    const setting = fc.constantFrom(
      ['app.workspace', this.#workspace],
      ['app.partner', '*'],
      ['app.partner', boreal],
      ['app.actor', this.#ids[0] ?? uuidv7()],
      ['row_security', 'off'],
      ['role', 'none'],
      ['search_path', 'pg_temp'],
    )
    const named = fc.constantFrom(
      'set_config',
      'SET_CONFIG',
      'pg_catalog.set_config',
      '"set_config"',
      'pg_catalog . "set_config"',
      'set_config /* a */',
      String.raw`U&"set\005fconfig"`,
      String.raw`U&"set!005fconfig" UESCAPE '!'`,
      'set_con' + 'fig --\n',
    )
    const call = fc
      .tuple(named, setting, fc.boolean())
      .map(([name, [key, value], isLocal]) => `${name}('${key}', '${value}', ${isLocal})`)
    const inner = fc.oneof(
      call.map((it) => `select ${it}`),
      setting.map(([key, value]) => `set local ${key} = '${value}'`),
      fc.constantFrom('reset role', 'set session authorization default', 'commit', 'rollback', 'discard all'),
    )
    const quoted = inner.map((it) => it.replaceAll("'", "''"))
    return fc.oneof(
      inner,
      call.map((it) => `values (${it})`),
      call.map((it) => `with t as materialized (select ${it} as v) select v from t`),
      call.map((it) => `select 1 where ${it} is not null`),
      call.map((it) => `select (select ${it})`),
      quoted.map((it) => `do 'begin execute ''${it.replaceAll("'", "''")}''; end'`),
      quoted.map((it) => `select query_to_xml('${it}', true, true, '')`),
      quoted.map((it) => `select * from ts_stat('${it}')`),
      quoted.map((it) => `select ts_rewrite('a'::tsquery, '${it}')`),
      inner.map((it) => `prepare leave as ${it}`),
      inner.map((it) => `create function pg_temp.leave() returns void language sql as $leave$ ${it} $leave$`),
      inner.map((it) => `explain analyze ${it}`),
      this.#place().map((it) => `create temporary table kept as select * from ${it}`),
      this.#place().map((it) => `select * into temporary kept from ${it}`),
      this.#place().map((it) => `declare kept cursor with hold for select * from ${it}`),
      this.#place().map((it) => `alter table ${it} disable row level security`),
      this.#place().map((it) => `copy ${it} to stdout`),
      this.#place().map((it) => `truncate ${it}`),
      fc.constantFrom('execute leave', 'select pg_temp.leave()', 'fetch all from kept', 'select * from pg_temp.kept'),
      fc.constantFrom('alter role socle_app superuser', 'grant all on core.account to public', 'begin', 'abort'),
    )
  }

  /** As what reads a statement by its beginning, or by quotes and comments, might let it pass. */
  #hidden(statement: Arbitrary<string>): Arbitrary<string> {
    const before = fc.constantFrom(
      '',
      '  \n',
      '-- a\n',
      '/* a */',
      '/* /* a */ */',
      "/* ' */",
      ';',
      'select 1;',
      "select '--';",
      "select '/*';",
      "select '''', '--';",
      "select E'\\'';",
      "select $a$'$a$;",
      'select "a";',
      'select 1 /*',
      "select 'a' --\n;",
      'select 1 as a$b$;',
    )
    const after = fc.constantFrom('', ';', ' -- a', ' /* a', '; select 1', " --'", '*/')
    return fc.tuple(before, statement, after).map((parts) => parts.join(' '))
  }

  #place(): Arbitrary<string> {
    return fc.constantFrom(...this.#places)
  }

  /** Reads, locks and changes whatever is within reach. */
  #look(): Arbitrary<string> {
    const id = fc.constantFrom(...this.#ids)
    return this.#place().chain((place) =>
      fc.oneof(
        fc.constantFrom(
          `select * from ${place}`,
          `select t::text from ${place} t`,
          `select to_jsonb(t) from ${place} t order by t::text desc`,
          `select string_agg(t::text, ',') from ${place} t`,
          `select * from ${place} for update`,
          `explain (analyze, verbose) select * from ${place}`,
          `with gone as (delete from ${place} returning *) select * from gone`,
          `delete from ${place}`,
          `insert into ${place} select * from ${place} on conflict do nothing returning *`,
          `update ${place} set workspace = '${this.#workspace}'`,
          `update ${place} set id = id returning *`,
          `select * from ${place} a, core.change b limit 50`,
          `select table_to_xml('${place}', true, true, '')`,
        ),
        id.map((it) => `select * from ${place} where id = '${it}' or workspace <> core.current_workspace()`),
        id.map((it) => `insert into ${place} (id, workspace) values ('${it}', '${this.#workspace}') returning *`),
        id.map((it) => `delete from ${place} where id = '${it}' returning *`),
      ),
    )
  }

  /** A function of the platform's, with arguments of the others. */
  #call(): Arbitrary<string> {
    return fc
      .constantFrom(...this.#functions)
      .chain(({ name, types }) =>
        fc
          .tuple(...types.map((type) => this.#argument(type)))
          .map((values) => `select * from ${name}(${values.join(', ')})`),
      )
  }

  #argument(type: string): Arbitrary<string> {
    const id = fc.constantFrom(...this.#ids, this.#workspace, boreal)
    const text = fc.constantFrom(
      canary('house'),
      canary('other'),
      'core.account',
      'deals.deal',
      'mail',
      'email',
      '.*',
      'order',
    )
    const of = (value: Arbitrary<string>) => value.map((it) => `'${it}'::${type}`)
    switch (type) {
      case 'uuid':
        return of(id)
      case 'uuid[]':
        return of(fc.array(id, { maxLength: 40 }).map((ids) => `{${ids.join(',')}}`))
      case 'text':
        return of(text)
      case 'text[]':
        return of(fc.array(text, { maxLength: 3 }).map((it) => `{${it.join(',')}}`))
      case 'regclass':
        return of(this.#place())
      case 'jsonb':
        return of(
          fc.constantFrom(
            '[]',
            '{}',
            `[{"kind":"name","value":"${canary('house')}","near":true,"probe":0,"finds":"close"}]`,
          ),
        )
      case 'boolean':
        return fc.constantFrom('true', 'false')
      case 'integer':
      case 'bigint':
      case 'real':
      case 'numeric':
        return fc.constantFrom('0', '1', '50').map((it) => `${it}::${type}`)
      default:
        return fc.constant(`null::${type}`)
    }
  }
}

/** The unit a plugin is given while somebody of this side, or the platform itself, acts. */
export async function unitOn({ app }: IsolationWorld, side: Side): Promise<UnitSpec> {
  const cause = { origin: 'test' }
  const { workspace } = app
  if (side.name === 'staff')
    return { workspace, actor: systemActor('en'), authority: systemAuthority, cause, plugin: 'sales' }
  const { actor } = (await side.newcomer()).who
  const authority = await app.app.kernel.parts.authorities.of(workspace, { user: actor.id! })
  return { workspace, actor, authority, cause, plugin: 'deals' }
}

/** Where a connection stands: its role, whose rows it sees, and what of its own it has. */
const standing = sql<Record<string, unknown>>`
  select current_user as role, session_user = current_user as self,
    current_setting('app.workspace', true) as workspace, current_setting('app.partner', true) as partner,
    current_setting('row_security') as row_security, current_setting('search_path') as path,
    (select count(*) from pg_class where relpersistence = 't' and relnamespace = pg_my_temp_schema()) as tables,
    (select count(*) from pg_cursors where is_holdable) as cursors`

/** Runs a script in a unit and answers what was wrong, in words. */
export async function run(world: IsolationWorld, side: Side, spec: UnitSpec, script: Script): Promise<string[]> {
  const { kernel } = world.app.app
  const faults: string[] = []
  const carried = script.statements.join(' ').toLowerCase()
  const judge = (told: string, statement: string) => {
    const text = told.toLowerCase()
    for (const secret of side.secrets) if (text.includes(secret)) faults.push(`tells ${secret}: ${statement}`)
    for (const id of new Set(text.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g)))
      if (side.foreignIds.has(id) && !carried.includes(id)) faults.push(`tells the id ${id}: ${statement}`)
  }
  const stand = async (ctx: Context) => (await standing.execute(ctx.sql)).rows[0]
  const work = async (ctx: Context): Promise<void> => {
    const before = await stand(ctx)
    for (const statement of script.statements) {
      try {
        const rows =
          script.through === 'em' ? await ctx.em.execute(statement) : (await sql.raw(statement).execute(ctx.sql)).rows
        judge(JSON.stringify(rows), statement)
      } catch (error) {
        const { message, detail } = error as { message: string; detail?: string }
        judge(`${message} ${detail ?? ''}`, statement)
        throw new Stopped()
      }
      const after = await stand(ctx)
      if (JSON.stringify(after) !== JSON.stringify(before))
        faults.push(`stands elsewhere: ${statement} ${JSON.stringify({ before, after })}`)
    }
  }
  const settled = async () => {
    let seen: unknown
    await kernel.unit(spec, async (ctx) => {
      seen = await stand(ctx)
    })
    return JSON.stringify(seen)
  }
  const before = await settled()
  await kernel.unit(spec, work).catch((error: unknown) => {
    if (!(error instanceof Stopped)) faults.push(`ends the unit: ${script.statements.join(' | ')} ${String(error)}`)
  })
  const after = await settled()
  if (after !== before) faults.push(`left something behind: ${script.statements.join(' | ')} ${after}`)
  return faults
}

/** The statement was refused, and its transaction with it. */
class Stopped extends Error {}
