import { sql } from 'kysely'
import { quoted } from '../field-value.ts'
import type { FieldModel } from '../model.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { tablesBeside } from '../sides/tables.ts'
import { relationUnmapped } from './errors.ts'
import type { LinkTable } from './link-table.ts'

/** A field of some resource that may point at records of another. */
export interface Relation {
  readonly resource: Resource
  readonly field: FieldModel
  /** For a field that may point anywhere: the sibling that names the resource. */
  readonly pair?: FieldModel
}

/** Actors and bookkeeping follow people, not the records they are about. */
const followsNobody = new Set(['id', 'createdBy', 'updatedBy'])

/** Every field that may point at records of a resource, those of switched-off plugins too. */
export function relationsTo(scope: EngineScope, target: Resource): readonly Relation[] {
  return scope.catalog.whole.all().flatMap((resource) =>
    resource.all.flatMap((field): Relation[] => {
      if (followsNobody.has(field.name)) return []
      if (field.targetIn !== undefined) {
        const pair = resource.fields.get(field.targetIn)
        return pair ? [{ resource, field, pair }] : []
      }
      return field.target === target.id ? [{ resource, field }] : []
    }),
  )
}

/** The same with the workspace's archived fields, which come back with what they point at. */
export function everyRelationTo(scope: EngineScope, target: Resource): readonly Relation[] {
  return [
    ...relationsTo(scope, target),
    ...scope.catalog.whole.archived.filter(({ field }) => field.target === target.id),
  ]
}

export function linksTo(scope: EngineScope, target: Resource): readonly LinkTable[] {
  return scope.links().filter((link) => link.target === undefined || link.target === target.id)
}

/** @throws `RELATION_UNMAPPED` (409) naming each column that may point at records of the resource and that nobody moves */
export async function refuseUnmapped(scope: EngineScope, target: Resource): Promise<void> {
  const mapped = new Set(scope.links().map(({ place }) => place))
  for (const { resource, field } of relationsTo(scope, target))
    mapped.add(
      field.side
        ? `${field.side.schema}.${field.side.table}.${field.side.column}`
        : `${resource.schema}.${resource.table}.${field.column}`,
    )
  // What stands beside a record is merged with it.
  for (const { schema, table } of await tablesBeside(scope, target)) mapped.add(`${schema}.${table}.record`)
  const { rows } = await sql<{ place: string }>`
    select n.nspname || '.' || c.relname || '.' || a.attname as place
    from pg_constraint k
    join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    cross join lateral unnest(k.conkey, k.confkey) as pair (own, other)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.own
    join pg_attribute o on o.attrelid = k.confrelid and o.attnum = pair.other and o.attname = 'id'
    where k.contype = 'f' and k.conparentid = 0 and k.confrelid = to_regclass(${`${quoted(target.schema)}.${quoted(target.table)}`})
    union
    select n.nspname || '.' || c.relname || '.record'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'record' and a.atttypid = 'uuid'::regtype and not a.attisdropped
    join pg_attribute b on b.attrelid = c.oid and b.attname = 'resource' and b.atttypid = 'text'::regtype and not b.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema')`.execute(
    scope.tx,
  )
  const unmapped = rows.map(({ place }) => place).filter((place) => !mapped.has(place))
  if (unmapped.length > 0)
    throw relationUnmapped({ places: unmapped.toSorted().join(', '), resource: target.id }, { places: unmapped })
}
