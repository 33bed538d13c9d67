import type { RecordJson, WriteOptions } from './records.ts'
import type { FieldModel } from './model.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'
import { sameValue } from './values.ts'
import { changeLocked, lockRecord, settleVersions } from './write.ts'

/**
 * Runs a method of the entity's class on the locked record and sends what it changed down the one write path.
 *
 * The entity lives in a manager of its own that is never flushed: its rule decides, the path writes.
 */
export async function changeEntity<T, R>(
  scope: EngineScope,
  resource: Resource,
  target: { id: string; version: number },
  change: (record: T) => R,
  options: WriteOptions = {},
): Promise<{ record: RecordJson; result: R }> {
  const before = await lockRecord(scope, resource, target.id, 'update', options)
  const em = scope.ctx.em.fork({ keepTransactionContext: true })
  const entity = (await em.findOneOrFail(resource.definition.entity as never, { id: target.id } as never)) as T
  const was = snapshot(resource, entity)
  const result = change(entity)
  const now = snapshot(resource, entity)
  const values = new Map([...now].filter(([name, value]) => !sameValue(was.get(name), value)))
  await settleVersions(scope, resource, before, target.version, values)
  const record = await changeLocked(scope, resource, before, values, { ...options, internal: true })
  return { record, result }
}

function snapshot(resource: Resource, entity: unknown): Map<string, unknown> {
  const properties = entity as Readonly<Record<string, unknown>>
  return new Map(resource.all.map((field) => [field.name, apiValue(field, properties[field.name])]))
}

function apiValue(field: FieldModel, value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (value instanceof Date) return field.type === 'date' ? value.toISOString().slice(0, 10) : value.toISOString()
  if (field.target !== undefined && typeof value === 'object') return (value as { id: string }).id
  if ((field.type === 'money' || field.type === 'decimal') && typeof value === 'number') return String(value)
  return value
}
