import { definePlugin } from '@socle/sdk'

/** Lets whoever waits for it wait. */
export const brokenHangPlugin = definePlugin({
  id: 'broken-hang',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Broken hang', fr: 'Attente sans fin' },
  ui: {
    entry: './ui',
    fills: [
      {
        id: 'broken-hang.module',
        slot: 'core:home.widgets@1',
        tag: 'broken-hang-module',
        title: { en: 'Never comes', fr: 'N’arrive jamais' },
        order: 4,
      },
      {
        id: 'broken-hang.blank',
        slot: 'core:home.widgets@1',
        tag: 'broken-hang-blank',
        title: { en: 'Draws nothing', fr: 'Ne dessine rien' },
        order: 5,
      },
    ],
  },
})
