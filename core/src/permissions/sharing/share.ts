import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../../records/record-base.ts'

export type ShareAccess = 'read' | 'write'

export const ShareSchema = defineEntity({
  name: 'Share',
  schema: 'core',
  tableName: 'share',
  properties: {
    ...recordBase(),
    resource: p.string().length(120),
    record: p.uuid(),
    /** With whom: one of these three. */
    user: p.uuid().fieldName('user_id').nullable(),
    toTeam: p.uuid().nullable(),
    partner: p.uuid().nullable(),
    access: p.string().$type<ShareAccess>().default('read'),
    until: p.datetime().nullable(),
    reason: p.string().length(500).nullable(),
  },
})

/** A record opened to a person, a team with the teams below it, or a partner; its owner is whoever shared it. */
export class Share extends ShareSchema.class {}
ShareSchema.setClass(Share)
