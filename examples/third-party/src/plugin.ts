import { definePlugin } from '@socle/sdk'
import { BadgeSchema } from './entities/badge.ts'
import { permissions } from './permissions.ts'
import { publicPages } from './pages.ts'
import { badges } from './resources.ts'
import { routes } from './routes.ts'

/** Badges for visitors: made outside the platform, packed, and installed from the archive. */
export const badgesPlugin = definePlugin({
  id: 'badges',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Visitor badges', fr: 'Badges visiteurs' },
  summary: {
    en: 'A badge with a QR code for everybody who visits.',
    fr: 'Un badge avec QR code pour chaque visiteur.',
  },
  icon: 'scan-barcode',
  requires: {},
  capabilities: { reads: ['core.account'] },
  entities: [BadgeSchema],
  resources: [badges],
  permissions,
  roleTemplates: [
    {
      id: 'badges.reception',
      title: { en: 'Reception', fr: 'Accueil' },
      grants: [
        { resource: 'badges.badge', action: 'read', visibility: 'all' },
        { resource: 'badges.badge', action: 'create', visibility: 'all' },
        { resource: 'badges.badge', action: 'print', visibility: 'all' },
      ],
    },
  ],
  routes,
  publicPages,
  migrations: new URL('../migrations/', import.meta.url),
  i18n: new URL('./i18n/', import.meta.url),
  ui: {
    entry: './ui',
    screens: [
      {
        id: 'badges.desk',
        path: '/badges/desk',
        title: { en: 'Reception desk', fr: 'Comptoir d’accueil' },
        icon: 'scan-barcode',
        tag: 'badges-desk',
        permission: 'badges.badge.read',
        nav: {},
      },
    ],
  },
})
