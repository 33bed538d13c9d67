import { definePlugin } from '@socle/sdk'
import { ContactBeside, Remarks } from './contract.ts'
import { routes } from './routes.ts'

/** Says before a meeting what every module knows of a contact: others remark, and draw beside it. */
export const briefingPlugin = definePlugin({
  id: 'briefing',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Briefing', fr: 'Préparation' },
  summary: {
    en: 'What every module knows of a contact, before you meet them.',
    fr: 'Ce que chaque module sait d’un contact, avant le rendez-vous.',
  },
  icon: 'sticky-note',
  capabilities: { reads: ['core.contact'] },
  points: [Remarks],
  routes,
  slots: [ContactBeside],
  i18n: new URL('./i18n/', import.meta.url),
  ui: {
    entry: './ui',
    screens: [
      {
        id: 'briefing.contacts',
        path: '/briefing/contacts',
        title: { en: 'Briefing', fr: 'Préparation' },
        icon: 'sticky-note',
        tag: 'briefing-contacts',
        permission: 'core.contact.read',
        nav: {},
      },
    ],
    fills: [
      {
        id: 'briefing.side',
        slot: 'core.contact.side@1',
        tag: 'briefing-side',
        title: { en: 'Briefing', fr: 'Préparation' },
        permission: 'core.contact.read',
      },
    ],
  },
})
