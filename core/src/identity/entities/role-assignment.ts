import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../../records/record-base.ts'
import { Role } from './role.ts'

export const RoleAssignmentSchema = defineEntity({
  name: 'RoleAssignment',
  schema: 'core',
  tableName: 'role_assignment',
  properties: {
    ...recordBase(),
    role: () => p.manyToOne(Role),
    user: p.uuid().fieldName('user_id'),
    until: p.datetime().nullable(),
  },
})

/** One person's role, for good or until an instant. */
export class RoleAssignment extends RoleAssignmentSchema.class {}
RoleAssignmentSchema.setClass(RoleAssignment)
