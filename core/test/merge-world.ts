import { defineEntity, p } from '@mikro-orm/core'
import { Account } from '../src/entities/account.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { defineResource } from '../src/records/define-resource.ts'
import { recordBase } from '../src/records/record-base.ts'

const MembershipSchema = defineEntity({
  name: 'Membership',
  schema: 'fixture',
  tableName: 'membership',
  properties: { ...recordBase(), list: p.string(), account: () => p.manyToOne(Account) },
})
class Membership extends MembershipSchema.class {}
MembershipSchema.setClass(Membership)

/** Fixed lists of accounts, each account on a list once. */
export const listsPlugin = definePlugin({
  id: 'fixture',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Lists', fr: 'Listes' },
  entities: [MembershipSchema],
  resources: [
    defineResource(Membership, { path: 'memberships', title: 'list', icon: 'list', list: ['list', 'account'] }),
  ],
  migrations: new URL('./fixtures/membership/', import.meta.url),
})
