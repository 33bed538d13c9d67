import { defineEntity, p } from '@mikro-orm/core'
import { recordBase } from '../records/record-base.ts'
import { Account } from './account.ts'
import { Contact } from './contact.ts'
import { Lead } from './lead.ts'
import type { Transitions } from './transitions.ts'

export type ActivityStatus = 'planned' | 'in_progress' | 'done' | 'cancelled' | 'no_show'

export const activityTransitions: Transitions<ActivityStatus> = {
  planned: ['in_progress', 'done', 'cancelled', 'no_show'],
  in_progress: ['done', 'cancelled', 'no_show'],
  done: ['planned'],
  cancelled: [],
  no_show: [],
}

export const ActivitySchema = defineEntity({
  name: 'Activity',
  schema: 'core',
  tableName: 'activity',
  properties: {
    ...recordBase(),
    subject: p.string().length(250),
    type: p.string().default('task'),
    status: p.string().$type<ActivityStatus>().default('planned'),
    priority: p.string().default('normal'),
    dueAt: p.datetime().nullable(),
    startAt: p.datetime().nullable(),
    endAt: p.datetime().nullable(),
    completedAt: p.datetime().nullable(),
    body: p.text().nullable(),
    outcome: p.string().length(500).nullable(),
    account: () => p.manyToOne(Account).nullable(),
    contact: () => p.manyToOne(Contact).nullable(),
    lead: () => p.manyToOne(Lead).nullable(),
    // A record of any kind, a plugin's too: the core has no foreign key to a plugin.
    resource: p.string().length(120).nullable(),
    record: p.uuid().nullable(),
  },
})

/** A task, call, meeting, visit, mail or note logged on a record. */
export class Activity extends ActivitySchema.class {}
ActivitySchema.setClass(Activity)
