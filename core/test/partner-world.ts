import { defineEntity, p } from '@mikro-orm/core'
import { Account } from '../src/entities/account.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { defineResource } from '../src/records/define-resource.ts'
import { money, recordBase } from '../src/records/record-base.ts'
import type { TestActor, TestAnswer } from '../src/testing/index.ts'

const DealSchema = defineEntity({
  name: 'Deal',
  schema: 'deals',
  tableName: 'deal',
  properties: {
    ...recordBase(),
    number: p.string().nullable(),
    name: p.string(),
    stage: p.string().default('open'),
    amount: money().nullable(),
    account: () => p.manyToOne(Account).fieldName('account_id').nullable(),
    partner: p.uuid().nullable(),
  },
})
class Deal extends DealSchema.class {}
DealSchema.setClass(Deal)

/** What partners register: each row is of one of them. */
export const dealsPlugin = definePlugin({
  id: 'deals',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Deals', fr: 'Affaires' },
  entities: [DealSchema],
  resources: [
    defineResource(Deal, {
      path: 'deals',
      title: 'name',
      icon: 'handshake',
      list: ['name', 'stage', 'amount', 'partner', 'owner'],
      search: ['name'],
      fields: { stage: { format: 'select', options: ['open', 'won'] }, amount: { format: 'money' } },
      kanban: { by: 'stage', sum: 'amount', card: ['name'] },
      timeline: true,
      numbered: { number: 'DR' },
      duplicates: [{ kind: 'name', fields: ['name'], weight: 90 }],
      partner: 'partner',
    }),
  ],
  migrations: new URL('./fixtures/deals/', import.meta.url),
})

export const atlas = '0193d1a2-0000-7000-8000-0000000000a1'
export const boreal = '0193d1a2-0000-7000-8000-0000000000b2'

/** A role that would open everything to one of the house: what is left is the wall's own work. */
export const personOf = (partner: string, name: string): TestActor => ({
  name,
  partners: [partner],
  grants: [{ resource: '*', action: '*', visibility: 'all' }],
})

/** The record an arrangement made; it stands in no test, so it throws where a test would expect. */
export function made({ status, body }: TestAnswer): { readonly id: string } & Record<string, unknown> {
  if (status >= 300) throw new Error(`Refused with ${status}: ${JSON.stringify(body)}`)
  return body.data
}
