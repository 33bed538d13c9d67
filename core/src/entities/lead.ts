import { defineEntity, p } from '@mikro-orm/core'
import { money, recordBase } from '../records/record-base.ts'
import { Account } from './account.ts'
import { Contact } from './contact.ts'
import type { Transitions } from './transitions.ts'

export type LeadStatus = 'new' | 'working' | 'nurturing' | 'qualified' | 'converted' | 'unqualified'

export const leadTransitions: Transitions<LeadStatus> = {
  new: ['working', 'unqualified'],
  working: ['nurturing', 'qualified', 'unqualified'],
  nurturing: ['working', 'qualified', 'unqualified'],
  qualified: ['converted', 'unqualified'],
  converted: ['qualified'],
  unqualified: ['working'],
}

export const LeadSchema = defineEntity({
  name: 'Lead',
  schema: 'core',
  tableName: 'lead',
  properties: {
    ...recordBase(),
    name: p.string().length(250),
    firstName: p.string().length(120).nullable(),
    lastName: p.string().length(120).nullable(),
    companyName: p.string().length(200).nullable(),
    jobTitle: p.string().length(120).nullable(),
    email: p.string().length(254).nullable(),
    phone: p.string().length(60).nullable(),
    phoneNorm: p.string().nullable(),
    city: p.string().length(120).nullable(),
    country: p.string().length(60).nullable(),
    source: p.string().length(120).nullable(),
    sourceChannel: p.string().default('direct'),
    need: p.text().nullable(),
    budget: money().nullable(),
    status: p.string().$type<LeadStatus>().default('new'),
    reason: p.string().length(500).nullable(),
    firstResponseDue: p.datetime().nullable(),
    convertedAt: p.datetime().nullable(),
    account: () => p.manyToOne(Account).nullable(),
    contact: () => p.manyToOne(Contact).nullable(),
    targetResource: p.string().nullable(),
    targetRecord: p.uuid().nullable(),
  },
})

/** Somebody not yet qualified; converts into an account, a contact and what plugins offer. */
export class Lead extends LeadSchema.class {}
LeadSchema.setClass(Lead)
