import { definePlugin } from '@socle/sdk'

/** Throws wherever it is drawn. */
export const brokenRenderPlugin = definePlugin({
  id: 'broken-render',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Broken render', fr: 'Rendu défaillant' },
  ui: {
    entry: './ui',
    fills: [
      {
        id: 'broken-render.module',
        slot: 'core:home.widgets@1',
        tag: 'broken-render-module',
        title: { en: 'Throws as it comes', fr: 'Échoue en arrivant' },
        order: 1,
      },
      {
        id: 'broken-render.first',
        slot: 'core:home.widgets@1',
        tag: 'broken-render-first',
        title: { en: 'Throws at first', fr: 'Échoue d’abord' },
        order: 2,
      },
      {
        id: 'broken-render.later',
        slot: 'core:home.widgets@1',
        tag: 'broken-render-later',
        title: { en: 'Throws later', fr: 'Échoue plus tard' },
        order: 3,
      },
    ],
  },
})
