import { defineEntity, defineExtension, definePlugin, extensionBase, p } from '@socle/sdk'

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

/** Says which contacts are in the loyalty programme: four fields on contacts, in a table of its own. */
export const loyaltyPlugin = definePlugin({
  id: 'loyalty',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Loyalty', fr: 'Fidélité' },
  summary: { en: 'Tiers and points of contacts.', fr: 'Niveaux et points des contacts.' },
  icon: 'gem',
  entities: [ExtContactSchema],
  extends: [contactExtension],
  migrations: new URL('../migrations/', import.meta.url),
  i18n: new URL('./i18n/', import.meta.url),
})
