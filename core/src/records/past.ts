import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Access } from '../permissions/authority.ts'
import { asOfUnknown, queryInvalid } from './errors.ts'
import { containsPattern } from './expression/index.ts'
import { fieldTypes } from './field-types.ts'
import { fieldValue } from './field-value.ts'
import { keptSince } from './ledger-chain.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { isoInstant } from './values.ts'
import { joinName, joinSides, sideColumns, wideTable } from './sides/source.ts'

/** The table of a resource under an alias, as a statement writes to it. */
export function tableOf(resource: Resource, as: string): RawBuilder<unknown> {
  return sql`${sql.table(`${resource.schema}.${resource.table}`)} as ${sql.ref(as)}`
}

/**
 * The scope in which everything is read as it was after the last change at or before an instant.
 *
 * @throws `QUERY_INVALID` (400) for what is no instant or in the future, `AS_OF_UNKNOWN` (422) before the ledger begins
 */
export async function scopeAsOf(scope: EngineScope, text: string | undefined): Promise<EngineScope> {
  if (text === undefined || text === '') return scope
  const instant = isoInstant.test(text) ? new Date(text) : undefined
  const now = scope.ctx.clock.now()
  if (!instant || Number.isNaN(instant.getTime()) || instant > now) {
    throw queryInvalid({
      parameter: 'asOf',
      value: text.slice(0, 60),
      expected: 'an instant that has been, such as 2026-03-31T09:00:00Z',
    })
  }
  const since = await knownSince(scope, now)
  if (instant < since) throw asOfUnknown({ instant: instant.toISOString(), since: since.toISOString() })
  return { ...scope, asOf: instant.toISOString() }
}

/** What went while it was kept for a shorter time does not come back with a longer one. */
async function knownSince({ ctx, tx }: EngineScope, now: Date): Promise<Date> {
  const since = keptSince(now, ctx.workspace.ledgerMonths)
  const { rows } = await sql<{ until: string | null }>`select core.ledger_gone_until() as until`.execute(tx)
  const until = new Date(rows[0]?.until ?? since)
  return until > since ? until : since
}

/**
 * What a read takes its rows from: the table, with what stands beside its records if the alias is a wide one, or what both
 * held at the scope's instant. Of the past, only a wide alias tells what stood beside.
 */
export function sourceOf(scope: EngineScope, resource: Resource, as: string): RawBuilder<unknown> {
  return scope.asOf === undefined
    ? (wideTable(resource, as) ?? tableOf(resource, as))
    : sql`${pastOf(scope, resource, scope.asOf)} as ${sql.ref(as)}`
}

/** Rows the actor may reach. Of the past it has been asked already, of the rows as they are today. */
export function withinReach(scope: EngineScope, access: Access, as: string): RawBuilder<SqlBool> {
  return scope.asOf === undefined ? access.where(as) : sql`true`
}

/** Every word stands in the title of then: what is indexed for search are the words of today. */
export function pastWords(scope: EngineScope, resource: Resource, words: string, as: string): RawBuilder<SqlBool> {
  const title = resource.fields.get(resource.title)
  // Words would tell a title that the actor may not read by the rows they find.
  if (!title || !scope.access(resource, 'read').readable(title.name)) return sql`false`
  const parts = words
    .split(/\s+/)
    .map((word) => sql<SqlBool>`core.fold(${fieldValue(title, as)}::text) like ${containsPattern(word)} escape '\\'`)
  return sql`(${sql.join(parts, sql` and `)})`
}

/**
 * The rows within the actor's reach today, each with the values it had at an instant.
 *
 * Of each record changed since, the oldest `old` value of each field (the last one an object keeps) is laid over the row of today; the others pass
 * through as they are, so that the cost is that of the changes since. Both halves show `id` plainly: a lookup of one
 * record reaches its index in each.
 */
function pastOf(scope: EngineScope, resource: Resource, instant: string): RawBuilder<unknown> {
  const access = scope.access(resource, 'read')
  const at = sql`${instant}::timestamptz`
  const workspace = sql`${scope.ctx.workspace.id}::uuid`
  const own = resource.all.filter(({ column, side }) => column !== 'custom' && !side)
  const columns = [...new Set(['workspace', ...own.map(({ column }) => column), 'custom'])].filter((it) => it !== 'id')
  const table = sql.table(`${resource.schema}.${resource.table}`)
  // Of what was only opened to them, a partner's people may not read how it changed: they see it as it is, or not at all.
  const isKnown = !scope.ctx.partners || resource.partner !== undefined
  const reach = sql`${isKnown} and r.workspace = ${workspace} and r.created_at <= ${at} and ${access.where('r')}`
  const changedSince = sql`c.workspace = ${workspace} and c.resource = ${resource.id} and c.at > ${at}`
  const list = (of: string) => sql.join(columns.map((column) => sql.ref(`${of}.${column}`)))
  // The ledger says decimals as the API does, by strings; `custom` keeps them as numbers.
  const decimals = resource.all.filter(({ custom, type }) => custom && fieldTypes[type].sql === 'numeric')
  const asKept = sql`case when f.field = any(${decimals.map(({ name }) => name)}::text[]) then to_jsonb((f.old #>> '{}')::numeric) else f.old end`
  const columnOf = JSON.stringify(Object.fromEntries(own.map(({ name, column }) => [name, column])))
  const beside = resource.sides.map(({ fields }, index) => ({
    name: joinName(index),
    columnOf: JSON.stringify(Object.fromEntries(fields.map(({ name, side }) => [name, side?.column]))),
  }))
  const joined = sql.raw(joinSides(resource, 'r'))
  const besides = sql.raw(sideColumns(resource))
  const valuesBeside = beside.map(
    ({ name, columnOf: of }) => sql`,
        coalesce(jsonb_object_agg(${of}::jsonb ->> f.field, f.old order by c.version desc)
          filter (where ${of}::jsonb ->> f.field is not null), '{}') as ${sql.ref(name)}`,
  )
  // A side that has no row reads as one that is empty, so that it has its record's id where anything stood in it then.
  const pastBeside = beside.map(
    ({ name }) =>
      sql` cross join lateral jsonb_populate_record(${sql.ref(`now_${name}`)}, since.${sql.ref(name)} || jsonb_build_object('record', r.id)) ${sql.ref(name)}`,
  )
  const nowBeside = resource.sides.map(({ schema, table: side }, index) => {
    const as = `now_${joinName(index)}`
    return sql` left join ${sql.table(`${schema}.${side}`)} as ${sql.ref(as)} on ${sql.ref(`${as}.workspace`)} = r.workspace and ${sql.ref(`${as}.record`)} = r.id`
  })
  const isElsewhere = resource.sides.flatMap(({ fields }) => fields.map(({ name }) => name))
  return sql`(
    select r.id, ${list('r')}${besides} from ${table} r${joined}
    where ${reach} and not exists (select from core.change c where ${changedSince} and c.record = r.id)
    union all
    select r.id, ${list('p')}${besides} from (
      select c.record, min(c.version) - 1 as version,
        coalesce(jsonb_object_agg(${columnOf}::jsonb ->> f.field, f.old order by c.version desc)
          filter (where ${columnOf}::jsonb ->> f.field is not null), '{}') as values,
        coalesce(jsonb_object_agg(f.field, ${asKept} order by c.version desc)
          filter (where f.field is not null and ${columnOf}::jsonb ->> f.field is null and f.field <> all (${isElsewhere}::text[])), '{}') as custom${sql.join(valuesBeside, sql``)}
      from core.change c left join lateral core.changed_values(c.fields) f on true
      where ${changedSince}
      group by c.record) since
    join ${table} r on r.id = since.record${sql.join(nowBeside, sql``)}
    left join lateral (
      select c.at, s.actor_type, s.actor_id from core.change c left join core.change_set s on s.id = c.change_set
      where c.workspace = ${workspace} and c.resource = ${resource.id} and c.record = since.record and c.version = since.version
      limit 1) last on true
    cross join lateral jsonb_populate_record(r, since.values || jsonb_build_object(
      'custom', jsonb_strip_nulls(r.custom || since.custom), 'version', since.version, 'updated_at', coalesce(last.at, r.created_at),
      'updated_by', case when last.actor_type = 'user' then last.actor_id end)) p${sql.join(pastBeside, sql``)}
    where ${reach})`
}
