import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../../records/record-base.ts'
import { Role } from './role.ts'

export const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  schema: 'core',
  tableName: 'api_key',
  properties: {
    ...recordBase(),
    name: p.string().length(120),
    prefix: p.string().length(8),
    role: () => p.manyToOne(Role),
    addresses: p.json<readonly string[]>().default('[]'),
    expiresAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    /** When its secrets last changed. */
    rotatedAt: p.datetime().nullable(),
    /** The key that made it, whose life and rights bound its own; null where a person did. */
    madeByKey: () => p.manyToOne(ApiKeySchema).fieldName('made_by_key').nullable(),
  },
})

/** A program's way in, with one role. Its secret is not here: only a hash of it is kept, in a table no read reaches. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey)
