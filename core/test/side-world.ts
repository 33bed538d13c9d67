import { defineEntity, p } from '@mikro-orm/core'
import { loyaltyPlugin } from '@socle/example-extend-contact'
import { Account } from '../src/entities/account.ts'
import { definePlugin } from '../src/plugins/define-plugin.ts'
import { defineExtension, extensionBase } from '../src/records/sides/define-extension.ts'

const VisitedContactSchema = defineEntity({
  name: 'VisitedContact',
  schema: 'visits',
  tableName: 'ext_contact',
  properties: {
    ...extensionBase(),
    score: p.decimal().precision(10).scale(2).nullable(),
    region: p.string().nullable(),
    lastOn: p.date().nullable(),
    host: () => p.manyToOne(Account).nullable(),
  },
})
class VisitedContact extends VisitedContactSchema.class {}
VisitedContactSchema.setClass(VisitedContact)

/** Extends contacts beside the loyalty example: two plugins with a side table each. */
export const visitsPlugin = definePlugin({
  id: 'visits',
  version: '1.2.0',
  platform: '^1.0.0',
  title: { en: 'Visits', fr: 'Visites' },
  entities: [VisitedContactSchema],
  extends: [defineExtension('core.contact', VisitedContact)],
  migrations: new URL('./fixtures/visits/', import.meta.url),
})

export const sidePlugins = [loyaltyPlugin, visitsPlugin]
