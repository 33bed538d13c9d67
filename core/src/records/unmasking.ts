import { defineEntity, p } from '@mikro-orm/core'
import { fieldNotReadable, permissionDenied } from '../permissions/errors.ts'
import { definePermission } from '../plugins/define-plugin.ts'
import { forAuditors } from './audience.ts'
import { defineResource } from './define-resource.ts'
import { queryInvalid, recordNotFound } from './errors.ts'
import { demandAction, findRow } from './read.ts'
import { recordBase } from './record-base.ts'
import type { Resource } from './registry.ts'
import type { EngineScope } from './scope.ts'

export const UnmaskingSchema = defineEntity({
  name: 'Unmasking',
  schema: 'core',
  tableName: 'unmasking',
  properties: {
    ...recordBase(),
    resource: p.string().length(120),
    record: p.uuid(),
    field: p.string().length(120),
    reason: p.string().length(500),
  },
})

/** That somebody had a masked value shown, and why. The value is not in it. */
export class Unmasking extends UnmaskingSchema.class {}
UnmaskingSchema.setClass(Unmasking)

export const unmaskings = defineResource(Unmasking, {
  path: 'unmaskings',
  title: 'reason',
  icon: 'eye',
  nav: false,
  readonly: true,
  audience: forAuditors,
  fields: { record: { format: 'text' } },
  list: ['reason', 'resource', 'field', 'record', 'owner', 'createdAt'],
})

export const unmaskPermission = definePermission('core.pii.unmask', {
  en: 'Show masked values, with a reason',
  fr: 'Afficher des valeurs masquées, avec un motif',
})

/**
 * The value of one masked field of one record that the actor sees. That it was shown, and why, stands in the audit.
 *
 * @throws `PERMISSION_DENIED` without `core.pii.unmask`; `FIELD_NOT_READABLE` (403) for a field that is not even masked;
 * `RECORD_NOT_FOUND`
 */
export async function unmaskField(
  scope: EngineScope,
  resource: Resource,
  id: string,
  { field: name, reason }: { readonly field: string; readonly reason: string },
): Promise<unknown> {
  demandAction(scope, resource, 'read')
  const permission = unmaskPermission.id
  if (!scope.ctx.authority.may(permission)) throw permissionDenied({ permission })
  if (!resource.fields.has(name))
    throw queryInvalid({ parameter: 'field', value: name, expected: `a field of ${resource.id}` })
  const access = scope.access(resource, 'read')
  if (!access.readable(name) && !access.masked(name)) throw fieldNotReadable({ resource: resource.id, field: name })
  const record = await findRow(
    scope,
    resource,
    id,
    ['id', name].flatMap((it) => resource.fields.get(it) ?? []),
  )
  if (!record) throw recordNotFound({ resource: resource.entity, id })
  await scope.ctx
    .asSystem()
    .records.create(unmaskings, { resource: resource.id, record: record.id, field: name, reason }, { internal: true })
  return record[name] ?? null
}
