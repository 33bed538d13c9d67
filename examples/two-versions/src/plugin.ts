import { definePlugin } from '@socle/sdk'

/** Draws with an older major of Lit than the page does: a screen, a part of the home screen, and an element in both. */
export const twoVersionsPlugin = definePlugin({
  id: 'two-versions',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Two versions', fr: 'Deux versions' },
  summary: {
    en: 'Screens drawn by an older Lit beside the platform’s.',
    fr: 'Des écrans dessinés par un Lit plus ancien que celui de la plateforme.',
  },
  i18n: new URL('./i18n/', import.meta.url),
  ui: {
    entry: './ui',
    screens: [
      {
        id: 'two-versions.counter',
        path: '/two-versions/counter',
        title: { en: 'Older counter', fr: 'Compteur ancien' },
        icon: 'square',
        tag: 'two-versions-counter',
        permission: 'core.account.read',
        nav: {},
      },
    ],
    fills: [
      {
        id: 'two-versions.widget',
        slot: 'core:home.widgets@1',
        tag: 'two-versions-widget',
        title: { en: 'Older widget', fr: 'Vignette ancienne' },
        order: 200,
      },
    ],
  },
})
