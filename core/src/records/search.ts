import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Access } from '../permissions/authority.ts'
import { fieldValue } from './field-value.ts'
import { oneByOne } from './one-by-one.ts'
import { tableOf } from './past.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

/** Records out of reach may stand among the best only where a condition decides on them: then so many more are looked at. */
const candidates = 400
/** Fewer hits than this, and words that stand inside others or were mistyped are looked for too. */
const tooFew = 5

export interface SearchHit {
  readonly resource: string
  readonly id: string
  readonly title: string
  readonly subtitle: string
}

/** Words of a searched text: `Mais. Garo` are two, each of which begins a word of "Maison Garonne". */
export function searchTerms(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, 8) ?? []
  )
}

/** Titles are indexed with weight A. */
type Weight = '' | 'A'

/** Words of a field the actor may not read must not find the record either: then only its title is searched. */
function reach(scope: EngineScope, resource: Resource): Weight {
  const readable = (path: string) => {
    const [name = '', inner] = path.split('.')
    if (!scope.access(resource, 'read').readable(name)) return false
    const target = inner === undefined ? undefined : scope.catalog.get(resource.fields.get(name)?.target ?? '')
    if (!target) return true
    // Its words are in the document whichever record of them is pointed at, within reach or not.
    const access = scope.access(target, 'read')
    return access.everything && access.readable(inner ?? '')
  }
  return resource.search.every(readable) ? '' : 'A'
}

/** The user whose own records a reach is about. */
const readerOf = ({ ctx }: EngineScope): string | null =>
  ctx.actor.type === 'user' && ctx.actor.id !== undefined ? ctx.actor.id : null

/** Ids of the records that are shared with the reader, beside those of a reach. */
function givenTo(accesses: readonly Access[]): RawBuilder<unknown> {
  const shared = accesses.flatMap((access) => (access.shared ? [sql`(${access.shared()})`] : []))
  return shared.length === 0 ? sql`'{}'::uuid[]` : sql`(${sql.join(shared, sql` || `)})::uuid[]`
}

/**
 * Rows of a list that hold all the words. Where no row within reach does, those that hold them inside other words, or
 * with one typo: what is out of reach must not decide on that.
 */
export function searchCondition(
  scope: EngineScope,
  resource: Resource,
  text: string,
  alias: string,
): RawBuilder<SqlBool> {
  const terms = searchTerms(text)
  const access = scope.access(resource, 'read')
  // Words would tell a title that the actor may not read by the rows they find.
  if (terms.length === 0 || !access.readable(resource.title)) return sql<SqlBool>`false`
  const weight = reach(scope, resource)
  const plain = access.reach
  // core.search_ids has no grant on its table: it filters by workspace itself, and the list's own conditions do the rest.
  const ids = (loosely: boolean) => sql`(select core.search_ids(${terms}::text[], ${weight}, ${loosely}, ${resource.id},
    ${plain === undefined || plain === 'all'}, ${readerOf(scope)}::uuid, ${plain === 'team' ? scope.ctx.authority.teams : []}::uuid[],
    ${givenTo([access])}))`
  const id = sql.ref(`${alias}.id`)
  const found = sql<SqlBool>`exists (
    select from ${sql.table(`${resource.schema}.${resource.table}`)} as found
    where found.workspace = ${scope.ctx.workspace.id}::uuid and found.deleted_at is null
      and found.id in ${ids(false)} and ${access.where('found')})`
  return sql<SqlBool>`(case when ${found} then ${id} in ${ids(false)} else ${id} in ${ids(true)} end)`
}

/** Best records over all resources the actor may read; what is out of reach leaves no trace. */
export async function searchRecords(
  scope: EngineScope,
  text: string,
  limit: number,
  only?: readonly string[],
): Promise<SearchHit[]> {
  const terms = searchTerms(text)
  if (terms.length === 0) return []
  const readable = scope.catalog.all().filter((resource) => {
    const access = scope.access(resource, 'read')
    return (
      resource.search.length > 0 &&
      scope.exists(resource) &&
      access.allowed &&
      access.readable(resource.title) &&
      (!only || only.includes(resource.id))
    )
  })
  if (readable.length === 0) return []
  // Where a condition decides, who has a hit is known only behind the look-up: then meaning more takes a second statement.
  const isPlain =
    readable.every((resource) => scope.access(resource, 'read').reach !== undefined) &&
    new Set(readable.map((resource) => reach(scope, resource))).size === 1
  if (isPlain) return unique(await bestHits(scope, terms, readable, limit, 'as needed')).slice(0, limit)
  const hits = await bestHits(scope, terms, readable, limit, 'as typed')
  if (hits.length >= Math.min(tooFew, limit)) return hits
  const further = await bestHits(scope, terms, readable, limit, 'as meant')
  return unique([...hits, ...further]).slice(0, limit)
}

function unique(hits: readonly SearchHit[]): SearchHit[] {
  return [...new Map(hits.toReversed().map((hit) => [hit.id, hit])).values()].toReversed()
}

/** Hits with the line that tells namesakes apart, each looked up behind its permission: one statement. */
async function bestHits(
  scope: EngineScope,
  terms: readonly string[],
  readable: readonly Resource[],
  limit: number,
  how: 'as typed' | 'as meant' | 'as needed',
): Promise<SearchHit[]> {
  const finds: RawBuilder<unknown>[] = []
  for (const weight of ['', 'A'] as const) {
    const those = readable.filter((resource) => reach(scope, resource) === weight)
    if (those.length === 0) continue
    const accesses = those.map((resource) => [resource.id, scope.access(resource, 'read')] as const)
    const ids = (fits: (access: Access) => boolean) => accesses.filter(([, it]) => fits(it)).map(([id]) => id)
    const conditional = ids(({ reach: plain }) => plain === undefined)
    const open = ids(({ reach: plain }) => plain === 'all')
    const few = how === 'as needed' ? Math.min(tooFew, limit) : 0
    const find = (openly: readonly string[], atMost: number) => sql`
      select * from core.search_find(${terms}::text[], ${weight}, ${how === 'as meant'}, ${openly}::text[],
        ${ids(({ reach: plain }) => plain === 'team')}::text[], ${ids(({ reach: plain }) => plain === 'own')}::text[],
        ${readerOf(scope)}::uuid, ${scope.ctx.authority.teams}::uuid[], ${givenTo(accesses.map(([, it]) => it))}, ${atMost}, ${few})`
    finds.push(conditional.length > 0 ? find([...open, ...conditional], limit + candidates) : find(open, limit))
  }
  const looks = readable.map((resource) => lookUp(scope, resource))
  // Its end is written out: of any number of rows PostgreSQL expects many, and would plan every look-up anew each time.
  const { rows } = await sql<SearchHit>`
    with hit as materialized (${sql.join(finds, sql` union all `)})
    select hit.resource, hit.record as id, hit.title, coalesce(seen.subtitle, '') as subtitle
    from hit cross join lateral (${sql.join(looks, sql` union all `)}) as seen
    order by hit.typed desc, hit.rank desc, hit.title, hit.record
    limit ${sql.lit(limit + tooFew)}`.execute(scope.tx)
  return rows
}

/** The second line of a hit of this resource, if the actor may see the record. */
function lookUp(scope: EngineScope, resource: Resource): RawBuilder<unknown> {
  const access = scope.access(resource, 'read')
  const second = resource.options.list
    .map((name) => resource.fields.get(name))
    .find(
      (field) =>
        field &&
        field.name !== resource.title &&
        ['text', 'email', 'phone'].includes(field.type) &&
        access.readable(field.name),
    )
  return sql`
    select ${second ? fieldValue(second, 't') : sql`null`}::text as subtitle
    from ${sql.table(`${resource.schema}.${resource.table}`)} as t
    where hit.resource = ${resource.id} and t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = hit.record
      and t.deleted_at is null and ${access.where('t')}`
}

/** What a record is found by beside its title. */
export interface SearchTexts {
  readonly own: string
  /** Words of what it points at. */
  readonly pointed: string
  /** Some of that is out of the session's sight, where words of it may stand already. */
  readonly keeps: boolean
}

/** Texts under which records are found: their own search fields, and those of what they point at. */
export async function searchTexts(
  scope: EngineScope,
  resource: Resource,
  records: readonly Readonly<Record<string, unknown>>[],
): Promise<SearchTexts[]> {
  const texts = records.map(() => ({ own: [] as string[], pointed: [] as string[], keeps: false }))
  for (const path of resource.search) {
    const [name = '', inner] = path.split('.')
    const values = records.map((record) => record[name]).map((value) => (typeof value === 'string' ? value : undefined))
    const said = inner === undefined ? undefined : await pointedAt(scope, resource, name, inner, values)
    for (const [index, value] of values.entries()) {
      const of = texts[index]!
      if (value === undefined) continue
      if (!said) of.own.push(value)
      else if (said.has(value)) of.pointed.push(said.get(value) ?? '')
      else if (scope.ctx.partners) of.keeps = true
    }
  }
  return texts.map(({ own, pointed, keeps }) => ({ own: own.join(' '), pointed: pointed.join(' '), keeps }))
}

/** What a field of the records that a reference points at says, by their ids. */
async function pointedAt(
  scope: EngineScope,
  resource: Resource,
  reference: string,
  inner: string,
  values: readonly (string | undefined)[],
): Promise<ReadonlyMap<string, string | null>> {
  const target = scope.catalog.get(resource.fields.get(reference)?.target ?? '')
  const field = target?.fields.get(inner)
  const ids = [...new Set(values.filter((value) => value !== undefined))]
  if (!target || !field || ids.length === 0) return new Map()
  const { rows } = await sql<{ id: string; value: string | null }>`
    select t.id, t.value from ${oneByOne(
      ids,
      'uuid',
      sql`select t.id, ${fieldValue(field, 't')} as value from ${tableOf(target, 't')}
        where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = given.key`,
    )}`.execute(scope.tx)
  return new Map(rows.map(({ id, value }) => [id, value]))
}
