import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { fieldValue } from './field-value.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

/** Candidates looked at beyond those asked for, because some of them may be out of the actor's reach. */
const candidates = 400

export interface SearchHit {
  readonly resource: string
  readonly id: string
  readonly title: string
  readonly subtitle: string
}

/**
 * Prefix query of the words in a text: `Mais. Garo` finds "Maison Garonne". Punctuation only separates words.
 *
 * @returns undefined when there is no word in it
 */
export function prefixQuery(text: string, where: 'anywhere' | 'title' = 'anywhere'): string | undefined {
  const words = text
    .normalize('NFC')
    .match(/[\p{L}\p{N}]+/gu)
    ?.slice(0, 8)
  // Titles are indexed with weight A.
  return words && words.length > 0
    ? words.map((word) => `${word}:*${where === 'title' ? 'A' : ''}`).join(' & ')
    : undefined
}

/** Words of a field the actor may not read must not find the record either: then only its title is searched. */
function reach(scope: EngineScope, resource: Resource): 'anywhere' | 'title' {
  const readable = (path: string) => {
    const [name = '', inner] = path.split('.')
    if (!scope.access(resource, 'read').readable(name)) return false
    const target = inner === undefined ? undefined : scope.catalog.get(resource.fields.get(name)?.target ?? '')
    return !target || scope.access(target, 'read').readable(inner ?? '')
  }
  return resource.search.every(readable) ? 'anywhere' : 'title'
}

/** Rows of a list that hold all the words, through the search table. */
export function searchCondition(
  scope: EngineScope,
  resource: Resource,
  text: string,
  alias: string,
): RawBuilder<SqlBool> {
  const query = prefixQuery(text, reach(scope, resource))
  if (query === undefined) return sql<SqlBool>`false`
  // core.search_find has no grant on its table: it filters by workspace itself, and the list's own conditions do the rest.
  return sql<SqlBool>`${sql.ref(`${alias}.id`)} in (select record from core.search_find(core.fold(${query}), ${[resource.id]}::text[], 10000))`
}

/** Best records over all resources the actor may read; what is out of reach leaves no trace. */
export async function searchRecords(
  scope: EngineScope,
  text: string,
  limit: number,
  only?: readonly string[],
): Promise<SearchHit[]> {
  const query = prefixQuery(text)
  if (query === undefined) return []
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
  const reached = { anywhere: [] as string[], title: [] as string[] }
  for (const resource of readable) reached[reach(scope, resource)].push(resource.id)
  const { rows } = await sql<{ resource: string; record: string; title: string }>`
    select resource, record, title from core.search_find(core.fold(${query}), ${reached.anywhere}::text[], ${limit + candidates})
    union all
    select resource, record, title from core.search_find(core.fold(${prefixQuery(text, 'title')}), ${reached.title}::text[], ${limit + candidates})`.execute(
    scope.tx,
  )
  const byResource = new Map<string, string[]>()
  for (const { resource, record } of rows) byResource.set(resource, [...(byResource.get(resource) ?? []), record])
  const visible = new Map<string, string>()
  for (const [id, records] of byResource) {
    const resource = scope.catalog.of(id)
    for (const [record, subtitle] of await visibleAmong(scope, resource, records)) visible.set(record, subtitle)
  }
  return rows
    .filter(({ record }) => visible.has(record))
    .slice(0, limit)
    .map(({ resource, record, title }) => ({ resource, id: record, title, subtitle: visible.get(record) ?? '' }))
}

/** Which of the ids the actor may see, with a second line that tells namesakes apart. */
async function visibleAmong(
  scope: EngineScope,
  resource: Resource,
  ids: readonly string[],
): Promise<Map<string, string>> {
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
  const { rows } = await sql<{ id: string; subtitle: string | null }>`
    select t.id, ${second ? fieldValue(second, 't') : sql`null`} as subtitle
    from ${sql.table(`${resource.schema}.${resource.table}`)} as t
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = any(${ids}::uuid[]) and t.deleted_at is null and ${access.where('t')}`.execute(
    scope.tx,
  )
  return new Map(rows.map(({ id, subtitle }) => [id, subtitle ?? '']))
}

/** Text under which a record is found: its own search fields, and those of what it points at. */
export async function searchText(
  scope: EngineScope,
  resource: Resource,
  record: Readonly<Record<string, unknown>>,
): Promise<string> {
  const parts: string[] = []
  for (const path of resource.search) {
    const [name = '', inner] = path.split('.')
    const value = record[name]
    if (inner === undefined) {
      if (typeof value === 'string') parts.push(value)
      continue
    }
    const target = scope.catalog.get(resource.fields.get(name)?.target ?? '')
    const field = target?.fields.get(inner)
    if (!target || !field || typeof value !== 'string') continue
    const { rows } = await sql<{ value: string | null }>`
      select ${fieldValue(field, 't')} as value from ${sql.table(`${target.schema}.${target.table}`)} as t
      where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = ${value}::uuid`.execute(scope.tx)
    if (rows[0]?.value) parts.push(rows[0].value)
  }
  return parts.join(' ')
}
