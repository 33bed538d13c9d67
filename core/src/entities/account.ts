import { defineEntity, p } from '@mikro-orm/core'
import { money, recordBase } from '../records/record-base.ts'
import type { Transitions } from './transitions.ts'

export type Lifecycle = 'suspect' | 'prospect' | 'client' | 'former'

/** Forward steps; the way back is by hand, with a reason. */
export const lifecycleTransitions: Transitions<Lifecycle> = {
  suspect: ['prospect', 'client'],
  prospect: ['client', 'suspect'],
  client: ['former', 'prospect', 'suspect'],
  former: ['client', 'prospect', 'suspect'],
}

const order: Readonly<Record<Lifecycle, number>> = { suspect: 0, prospect: 1, client: 2, former: 3 }

/** `client ⇄ former` is a way of business, every other step down is a correction. */
export function isStepBack(from: Lifecycle, to: Lifecycle): boolean {
  return order[to] < order[from] && !(from === 'former' && to === 'client')
}

export const AccountSchema = defineEntity({
  name: 'Account',
  schema: 'core',
  tableName: 'account',
  properties: {
    ...recordBase(),
    name: p.string().length(200),
    kind: p.string().default('organisation'),
    lifecycle: p.string().$type<Lifecycle>().default('suspect'),
    legalName: p.string().length(200).nullable(),
    code: p.string().length(60).nullable().unique(),
    parent: () => p.manyToOne(AccountSchema).nullable(),
    domain: p.string().length(253).nullable(),
    website: p.string().nullable(),
    siren: p.string().length(20).nullable(),
    siret: p.string().length(30).nullable(),
    vatNumber: p.string().length(30).nullable(),
    industry: p.string().length(120).nullable(),
    employees: p.integer().nullable(),
    annualRevenue: money().nullable(),
    foundedYear: p.integer().nullable(),
    source: p.string().length(120).nullable(),
    sourceChannel: p.string().default('direct'),
    phone: p.string().length(60).nullable(),
    phoneNorm: p.string().nullable(),
    email: p.string().length(254).nullable(),
    addressLine1: p.string().length(200).nullable(),
    addressLine2: p.string().length(200).nullable(),
    postalCode: p.string().length(20).nullable(),
    city: p.string().length(120).nullable(),
    country: p.string().length(60).nullable(),
    doNotContact: p.boolean().default(false),
    lastActivityAt: p.datetime().nullable(),
    nextActivityAt: p.datetime().nullable(),
  },
})

/** An organisation or a person the company deals with. */
export class Account extends AccountSchema.class {}
AccountSchema.setClass(Account)
