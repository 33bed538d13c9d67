import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { oneByOne } from '../one-by-one.ts'
import { recordsByIds, tableOf } from '../read.ts'
import type { RecordJson } from '../records.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import type { DuplicateKey } from './duplicate-key.ts'
import { duplicateSuspected } from './errors.ts'
import { keyValuesOf, readableKeys, weightsOf, type KeyValue } from './keys.ts'
import { findersAmong, scoreOf, suspectFrom, type DuplicateReason, type Finding } from './score.ts'

/** A record that may be the same as the one asked about. */
export interface Duplicate {
  readonly record: string
  /** 0 to 100. */
  readonly score: number
  readonly reasons: readonly DuplicateReason[]
}

export interface FoundDuplicate extends Duplicate {
  /** Title and list fields, as the actor may read them. */
  readonly data: RecordJson
}

/** Records with one value in common that are looked at; a switchboard's number says little about each of its hundreds. */
const atMost = 100
const mostAnswered = 20

/**
 * Existing records that each of some values may be the same as, best first: for a form, for a chunk of an import.
 *
 * One statement finds them and one asks for permission, whatever the number of rows; what the actor may not see, or
 * would only match by a field they may not read, is left out. Rows are not compared with each other.
 *
 * @param rows - values by field name, as a create takes them; `id` leaves that record itself out
 * @param passOver - says which of the records found are none to tell of
 * @returns for each row, in the order of the rows, what it may repeat; empty where nothing is suspect
 *
 * @example
 * const suspects = await duplicatesOf(scope, accounts, [{ name: 'Léger SARL', phone: '01 42 68 53 00' }])
 * suspects[0]?.[0] // { record: '0195…', score: 80, reasons: [{ kind: 'name', likeness: 1 }, { kind: 'phone', likeness: 1 }] }
 */
export async function duplicatesOf(
  scope: EngineScope,
  resource: Resource,
  rows: readonly Readonly<Record<string, unknown>>[],
  passOver?: (records: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<readonly (readonly Duplicate[])[]> {
  const keys = usableKeys(scope, resource)
  const probes = rows.flatMap((row, probe) => keyValuesOf(scope, keys, row).map((value) => ({ ...value, probe })))
  const found = await findAlike(scope, resource, keys, probes)
  const ids = new Set([...found.values()].flat().map(({ record }) => record))
  const visible = await visibleAmong(scope, resource, [...ids])
  const from = suspectFrom(scope.ctx.workspace)
  const passed = (await passOver?.([...visible])) ?? new Set()
  return rows.map((row, probe) =>
    (found.get(probe) ?? [])
      .filter(({ record, score }) => record !== row['id'] && visible.has(record) && score >= from)
      .filter(({ record }) => !passed.has(record))
      .toSorted((a, b) => b.score - a.score || (a.record < b.record ? -1 : 1))
      .slice(0, mostAnswered),
  )
}

/** The same for one record, with what is shown of each. */
export async function findDuplicates(
  scope: EngineScope,
  resource: Resource,
  values: Readonly<Record<string, unknown>>,
): Promise<FoundDuplicate[]> {
  const [suspects = []] = await duplicatesOf(scope, resource, [values])
  const shown = await recordsByIds(
    scope,
    resource.id,
    suspects.map(({ record }) => record),
  )
  return suspects.flatMap((suspect) => {
    const data = shown[suspect.record]
    return data ? [{ ...suspect, data }] : []
  })
}

/**
 * Warns of likely duplicates of a record about to be made.
 *
 * @throws `DUPLICATE_SUSPECTED` (409) with the candidates the actor may see, when there are any
 */
export async function warnOfDuplicates(
  scope: EngineScope,
  resource: Resource,
  after: Readonly<Record<string, unknown>>,
): Promise<void> {
  const candidates = await findDuplicates(scope, resource, after)
  const [best] = candidates
  if (!best) return
  throw duplicateSuspected(
    { title: String(best.data['title'] ?? best.record), count: candidates.length },
    { candidates, warning: duplicateSuspected.code },
  )
}

/**
 * Holds where `warnOfDuplicates` would find nothing, to stand in the statement that writes: for most new records that is all
 * there is to ask. Undefined where the question costs more than a look at equal values, so that it is not asked twice.
 */
export function nothingAlike(
  scope: EngineScope,
  resource: Resource,
  after: Readonly<Record<string, unknown>>,
): RawBuilder<SqlBool> | undefined {
  const keys = usableKeys(scope, resource)
  const probes = keyValuesOf(scope, keys, after).map((value) => ({ ...value, probe: 0 }))
  const { asked, alike } = findersAmong(probes, weightsOf(keys), suspectFrom(scope.ctx.workspace))
  // With nothing to ask for there is nothing to be asked, here as there.
  if (!asked.some(({ finds }) => finds === 'equal')) return undefined
  if (!asked.every(({ finds = 'equal' }) => finds === 'equal')) return undefined
  return sql<SqlBool>`not exists (select from ${finding(resource, asked, alike)})`
}

/** Ids of the records, whoever may see them, that have one of some values, in the form values are kept in: a subselect. */
export function havingOneOf(
  resource: string,
  values: readonly Pick<KeyValue, 'kind' | 'value' | 'near'>[],
): RawBuilder<unknown> {
  const finds: Finding = 'equal'
  const asked = values.map((value) => ({ ...value, finds }))
  return sql`(select record from core.duplicate_find(${resource}, ${JSON.stringify(asked)}::jsonb, ${atMost}, 1::real) where likeness = 1)`
}

/** Candidates by probe, whoever may see them: every one that is suspect, with all it has in common. */
export async function findAlike(
  scope: EngineScope,
  resource: Resource,
  keys: readonly DuplicateKey[],
  probes: readonly (KeyValue & { readonly probe: number })[],
): Promise<ReadonlyMap<number, Duplicate[]>> {
  const found = new Map<number, Duplicate[]>()
  const weights = weightsOf(keys)
  const { asked, alike } = findersAmong(probes, weights, suspectFrom(scope.ctx.workspace))
  if (asked.every(({ finds }) => finds === undefined)) return found
  const { rows } = await sql<{ probe: number; record: string; reasons: DuplicateReason[] }>`
    select probe, record, jsonb_agg(jsonb_build_object('kind', kind, 'likeness', round(likeness::numeric, 2)) order by kind) as reasons
    from ${finding(resource, asked, alike)} group by probe, record`.execute(scope.tx)
  for (const { probe, record, reasons } of rows) {
    const known = found.get(probe) ?? []
    found.set(probe, known)
    known.push({ record, score: scoreOf(reasons, weights), reasons })
  }
  return found
}

function finding(resource: Resource, asked: readonly KeyValue[], alike: number): RawBuilder<unknown> {
  return sql`core.duplicate_find(${resource.id}, ${JSON.stringify(asked)}::jsonb, ${atMost}, ${alike}::real)`
}

function usableKeys(scope: EngineScope, resource: Resource): readonly DuplicateKey[] {
  return scope.access(resource, 'read').allowed ? readableKeys(scope, resource) : []
}

async function visibleAmong(scope: EngineScope, resource: Resource, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const { rows } = await sql<{ id: string }>`
    select t.id from ${oneByOne(
      ids,
      'uuid',
      sql`select t.id from ${tableOf(resource, 't')}
        where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = given.key and t.deleted_at is null
          and ${scope.access(resource, 'read').where('t')}`,
    )}`.execute(scope.tx)
  return new Set(rows.map(({ id }) => id))
}
