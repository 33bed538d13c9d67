import { randomUUID } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import { unaccent } from '@electric-sql/pglite/contrib/unaccent'
import { Kysely, PGliteDialect, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { SocleError } from '../src/errors.ts'
import { absentRecord, checkExpression, everyField } from '../src/records/expression/index.ts'
import type { Access, Environment, Expression } from '../src/records/expression/index.ts'
import { readExpression } from '../src/records/expression/read.ts'
import type { CollectionModel, FieldModel, FieldType, ResourceCatalog, ResourceModel } from '../src/records/model.ts'

/** A small trade: accounts with parents and owners, opportunities at accounts. Enough for every kind of field and path. */

function field(name: string, type: FieldType, more: Partial<FieldModel> = {}): FieldModel {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const column = ['reference', 'user', 'team'].includes(type) ? `${snake}_id` : snake
  return { name, type, column, required: false, readonly: false, ...more }
}

function resource(
  id: string,
  { table, fields, collections = [] }: { table: string; fields: FieldModel[]; collections?: CollectionModel[] },
): ResourceModel {
  const [plugin, entity] = id.split('.') as [string, string]
  return {
    id,
    plugin,
    entity,
    path: `${table}s`,
    schema: plugin,
    table,
    title: 'name',
    fields: new Map(fields.map((it) => [it.name, it])),
    collections: new Map(collections.map((it) => [it.name, it])),
  }
}

export const users = resource('core.user', {
  table: 'user',
  fields: [
    field('id', 'reference', { column: 'id', target: 'core.user' }),
    field('name', 'text'),
    field('email', 'email'),
  ],
})

export const accounts = resource('trade.account', {
  table: 'account',
  fields: [
    field('id', 'reference', { column: 'id', target: 'trade.account' }),
    field('name', 'text'),
    field('kind', 'select', { options: [{ value: 'prospect' }, { value: 'client' }, { value: 'former' }] }),
    field('employees', 'integer'),
    field('revenue', 'money'),
    field('active', 'boolean'),
    field('foundedOn', 'date'),
    field('seenAt', 'instant'),
    field('parent', 'reference', { target: 'trade.account' }),
    field('owner', 'user', { target: 'core.user' }),
    field('campaign', 'reference', { target: 'marketing.campaign' }),
    field('deletedAt', 'instant'),
  ],
  collections: [
    { name: 'children', target: 'trade.account', field: 'parent' },
    { name: 'opportunities', target: 'trade.opportunity', field: 'account' },
  ],
})

export const opportunities = resource('trade.opportunity', {
  table: 'opportunity',
  fields: [
    field('id', 'text'),
    field('name', 'text'),
    field('state', 'select', { options: [{ value: 'open' }, { value: 'won' }, { value: 'lost' }] }),
    field('amount', 'money'),
    field('probability', 'percent'),
    field('quantity', 'integer'),
    field('urgent', 'boolean'),
    field('closeDate', 'date'),
    field('createdAt', 'instant'),
    field('extra', 'json'),
    field('account', 'reference', { target: 'trade.account' }),
    field('owner', 'user', { target: 'core.user' }),
    field('deletedAt', 'instant'),
  ],
})

const resources = new Map([users, accounts, opportunities].map((it) => [it.id, it]))
export const catalog = { get: (id: string) => resources.get(id) }

export const marie = '0190a6e2-7c4b-7d3e-9f10-00000000000a'
export const environment: Environment = {
  now: new Date('2026-03-29T10:30:00.000Z'),
  // Clocks change on the day of `now`, and Paris is never at UTC.
  zone: 'Europe/Paris',
  userId: marie,
}

export function check(input: string | Expression, from: ResourceModel = opportunities, access: Access = everyField) {
  return checkExpression(readExpression(input), { resource: from, catalog, access })
}

/** The refusal a call ends in. */
export function refusal(run: () => unknown): SocleError {
  try {
    run()
  } catch (error) {
    if (error instanceof SocleError) return error
    throw error
  }
  throw new Error('It was not refused')
}

const columnTypes: Readonly<Record<FieldType, string>> = {
  text: 'text', long: 'text', email: 'text', phone: 'text', url: 'text', select: 'text',
  integer: 'integer', decimal: 'numeric', money: 'numeric(19,4)', percent: 'numeric', boolean: 'boolean',
  date: 'date', instant: 'timestamptz', user: 'uuid', team: 'uuid', reference: 'uuid', json: 'jsonb',
  rich: 'text', duration: 'integer', 'multi-select': 'jsonb', address: 'jsonb', 'auto-number': 'text',
} // prettier-ignore

/** A database with `core.fold` and the tables of the trade: embedded, or on the server of `TEST_DATABASE_URL`. */
export async function createDatabase(): Promise<{ database: Kysely<any> } & AsyncDisposable> {
  const server = process.env['TEST_DATABASE_URL']
  const { database, drop } = server ? await onServer(server) : await embedded()
  const tables = [...resources.values()].map((it) => {
    const columns = [...it.fields.values()].map((column) => {
      return `${column.column} ${column.name === 'id' ? 'uuid primary key' : columnTypes[column.type]}`
    })
    return `create table "${it.schema}"."${it.table}" (workspace uuid not null, ${columns.join(', ')})`
  })
  const statements = [
    'create extension unaccent',
    'create schema core',
    'create schema trade',
    `create function core.fold(text) returns text language sql immutable parallel safe strict
      as $$ select lower(public.unaccent('public.unaccent', $1)) $$`,
    ...tables,
  ]
  for (const statement of statements) await sql.raw(statement).execute(database)
  return { database, [Symbol.asyncDispose]: drop }
}

async function embedded() {
  const pglite = await PGlite.create({ extensions: { unaccent } })
  const database = new Kysely<any>({ dialect: new PGliteDialect({ pglite }) })
  return { database, drop: () => database.destroy() }
}

async function onServer(url: string) {
  const connect = (name: string) => {
    const own = new URL(url)
    if (name) own.pathname = `/${name}`
    return new Kysely<any>({
      dialect: new PostgresDialect({
        pool: new pg.Pool({ connectionString: own.href, max: 1, options: '-c jit=off' }),
      }),
    })
  }
  const name = `socle_test_expression_${randomUUID().slice(0, 8)}`
  const host = connect('')
  await sql`create database ${sql.id(name)}`.execute(host)
  const database = connect(name)
  const drop = async () => {
    await database.destroy()
    await sql`drop database ${sql.id(name)}`.execute(host)
    await host.destroy()
  }
  return { database, drop }
}

export type Row = Record<string, unknown> & { id: string; workspace: string }

/** Inserts records by field names; references as ids. */
export async function insert(database: Kysely<any>, into: ResourceModel, rows: readonly Row[]): Promise<void> {
  const values = rows.map((row) => {
    const columns = [...into.fields.values()].map((it) => {
      const value = row[it.name] ?? null
      return [it.column, it.type === 'json' ? JSON.stringify(value) : value]
    })
    return { workspace: row.workspace, ...Object.fromEntries(columns) }
  })
  await database.insertInto(`${into.schema}.${into.table}`).values(values).execute()
}

/** The same records as `evaluate` wants them: references followed, collections filled, hidden and foreign rows absent. */
export function load(
  rows: ReadonlyMap<ResourceModel, readonly Row[]>,
  visible: (model: ResourceModel, row: Row) => boolean = () => true,
  known: ResourceCatalog = catalog,
): Map<string, Record<string, unknown>> {
  const own = new Map<string, Row>()
  const loaded = new Map<string, Record<string, unknown>>()
  for (const [model, some] of rows) {
    for (const row of some) {
      loaded.set(row.id, { ...row })
      if (visible(model, row)) own.set(row.id, row)
    }
  }
  for (const [model, some] of rows) {
    for (const row of some) {
      const record = loaded.get(row.id)!
      for (const it of model.fields.values()) {
        const id = row[it.name] as string | null
        if (it.name === 'id' || !it.target || !id) continue
        record[it.name] = own.get(id)?.workspace === row.workspace ? loaded.get(id) : absentRecord(id)
      }
      for (const many of model.collections.values()) {
        const target = rows.get(known.get(many.target)!) ?? []
        const members = target.filter(
          (it) => it[many.field] === row.id && it.workspace === row.workspace && own.has(it.id),
        )
        record[many.name] = members.map((member) => loaded.get(member.id))
      }
    }
  }
  return loaded
}
