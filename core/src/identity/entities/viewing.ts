import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../../records/record-base.ts'

/** Who or what ended it: the viewer, the hour, a right that was withdrawn, or one of the two who left. */
export type ViewingEnd = 'self' | 'time' | 'right' | 'gone'

export const ViewingSchema = defineEntity({
  name: 'Viewing',
  schema: 'core',
  tableName: 'viewing',
  properties: {
    ...recordBase(),
    /** As whom. */
    user: p.uuid().fieldName('user_id'),
    reason: p.string().length(500),
    until: p.datetime(),
    endedAt: p.datetime().nullable(),
    endedBy: p.string().$type<ViewingEnd>().nullable(),
  },
})

/** Somebody looked at the workspace as another person, reading only; its owner is who looked. */
export class Viewing extends ViewingSchema.class {}
ViewingSchema.setClass(Viewing)
