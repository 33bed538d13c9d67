import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { DuplicateStrictness } from '../../actor.ts'
import { countryOfZone } from '../../entities/phones.ts'
import type { RecordJson } from '../records.ts'
import { readerOf } from '../reader.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { formOf, isComparison } from './comparisons.ts'
import { DuplicateKeys, type DuplicateKey } from './duplicate-key.ts'

type Values = Readonly<Record<string, unknown>>

/** One value to keep or to look for, as `core.duplicate_put` and `core.duplicate_find` take it. */
export interface KeyValue {
  readonly kind: string
  readonly value: string
  readonly near: boolean
  readonly supports: boolean
}

/** What makes two records of a resource suspect here: its own keys, and those of plugins that are on. */
export function duplicateKeysOf(scope: EngineScope, resource: Resource): readonly DuplicateKey[] {
  const contributed = scope.ctx
    .contributions(DuplicateKeys)
    .filter((it) => it.resource === resource.id)
    .map(({ key }) => key)
  const declared = resource.options.duplicates ?? []
  return contributed.length === 0 ? declared : [...declared, ...contributed]
}

/** The keys an actor may use: a match on a field they may not read would tell them its value. */
export function readableKeys(scope: EngineScope, resource: Resource): readonly DuplicateKey[] {
  const access = scope.access(resource, 'read')
  return duplicateKeysOf(scope, resource).filter(({ fields }) => fields.flat().every((name) => access.readable(name)))
}

export function weightsOf(keys: readonly DuplicateKey[]): ReadonlyMap<string, number> {
  return new Map(keys.map(({ kind, weight }) => [kind, weight]))
}

/** Raised when values are kept in other forms than before: the next scan gives all records their keys anew. */
const formsVersion = 2

/**
 * Tells whether records were given their keys, and compared, by the declaration that holds now. The strictness is part of
 * it: pairs below the threshold are not kept, so another one compares all records anew.
 */
export function declarationOf(keys: readonly DuplicateKey[], strictness: DuplicateStrictness): string {
  return createHash('sha256')
    .update(JSON.stringify([keys, strictness, formsVersion]))
    .digest('base64url')
    .slice(0, 22)
}

export function keyValuesOf(scope: EngineScope, keys: readonly DuplicateKey[], record: Values): KeyValue[] {
  const country = typeof record['country'] === 'string' ? record['country'] : countryOfZone(scope.ctx.workspace.zone)
  const found = new Map<string, KeyValue>()
  for (const { kind, fields, as, supports = false } of keys) {
    const comparison = as ?? (isComparison(kind) ? kind : 'exact')
    const { near = false, of } = formOf(comparison)
    for (const field of fields) {
      const text = textOf(record, field)
      const value = text === undefined ? undefined : of(text, country)
      if (value !== undefined && value !== '') found.set(`${kind} ${value}`, { kind, value, near, supports })
    }
  }
  return [...found.values()]
}

function textOf(record: Values, field: string | readonly string[]): string | undefined {
  const texts = [field]
    .flat()
    .map((name) => record[name])
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .map(String)
  return texts.length === 0 ? undefined : texts.join(' ')
}

/** The keys of a record that is being written, as `core.duplicate_put` takes them; undefined where none changed. */
export function changedKeys(
  scope: EngineScope,
  resource: Resource,
  { after, changed }: { after: Values; changed: ReadonlyMap<string, unknown> | ReadonlySet<string> },
): readonly KeyValue[] | undefined {
  const keys = duplicateKeysOf(scope, resource)
  if (keys.length === 0) return undefined
  const names = new Set([...keys.flatMap(({ fields }) => fields.flat()), 'country', 'deletedAt'])
  if (resource.partner) names.add(resource.partner.field)
  return [...changed.keys()].some((name) => names.has(name)) ? keyValuesOf(scope, keys, after) : undefined
}

/** Gives records their keys anew. */
export async function putKeys(scope: EngineScope, resource: Resource, records: readonly RecordJson[]): Promise<void> {
  if (records.length === 0) return
  const keys = duplicateKeysOf(scope, resource)
  const put = records.map((record) => ({
    record: record.id,
    reader: readerOf(resource, record),
    keys: keyValuesOf(scope, keys, record),
  }))
  await sql`select core.duplicate_put(${resource.id}, ${JSON.stringify(put)}::jsonb)`.execute(scope.tx)
}
