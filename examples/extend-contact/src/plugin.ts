import { ContactBeside, Remarks } from '@socle/example-slot-provider/contract'
import { contribution, defineEntity, defineExtension, definePlugin, extensionBase, p } from '@socle/sdk'
import { memberRemark } from './remarks.ts'

export const ExtContactSchema = defineEntity({
  name: 'ExtContact',
  schema: 'loyalty',
  tableName: 'ext_contact',
  properties: {
    ...extensionBase(),
    tier: p.string().nullable(),
    points: p.integer().nullable(),
    memberSince: p.date().nullable(),
    card: p.string().length(20).unique().nullable(),
  },
})
export class ExtContact extends ExtContactSchema.class {}
ExtContactSchema.setClass(ExtContact)

const contactExtension = defineExtension('core.contact', ExtContact, {
  fields: {
    tier: {
      format: 'select',
      options: [
        { value: 'bronze', tone: 'neutral' },
        { value: 'silver', tone: 'info' },
        { value: 'gold', tone: 'warning' },
      ],
    },
    points: { min: 0 },
  },
  list: ['tier', 'points'],
  search: ['card'],
})

// Awake for as long as the briefing is on in the workspace.
const when = { plugin: 'briefing', range: '^1.0.0' }

/** Says which contacts are in the loyalty programme: four fields on contacts, in a table of its own. */
export const loyaltyPlugin = definePlugin({
  id: 'loyalty',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Loyalty', fr: 'Fidélité' },
  summary: { en: 'Tiers and points of contacts.', fr: 'Niveaux et points des contacts.' },
  icon: 'gem',
  optional: { briefing: '^1.0.0' },
  entities: [ExtContactSchema],
  extends: [contactExtension],
  contributes: [contribution(Remarks, memberRemark, { when })],
  migrations: new URL('../migrations/', import.meta.url),
  i18n: new URL('./i18n/', import.meta.url),
  ui: {
    entry: './ui',
    fills: [
      {
        id: 'loyalty.beside',
        slot: ContactBeside,
        tag: 'loyalty-beside',
        title: { en: 'Loyalty', fr: 'Fidélité' },
        when,
      },
    ],
  },
})
