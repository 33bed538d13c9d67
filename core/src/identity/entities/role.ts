import { defineEntity, p } from '@mikro-orm/core'
import type { FieldGrant, Grant } from '../../permissions/grant.ts'
import { recordBase } from '../../records/record-base.ts'

export const RoleSchema = defineEntity({
  name: 'Role',
  schema: 'core',
  tableName: 'role',
  properties: {
    ...recordBase(),
    name: p.string().length(120),
    description: p.text().nullable(),
    /** `<plugin>.<template>` it was made from. */
    template: p.string().nullable(),
    grants: p.json<readonly Grant[]>().default('[]'),
    fields: p.json<readonly FieldGrant[]>().default('[]'),
  },
})

/** What its holders may do. */
export class Role extends RoleSchema.class {}
RoleSchema.setClass(Role)
