import { definePlugin } from '@socle/sdk'

/** It requires a module that nobody has installed. */
export const brokenPeerPlugin = definePlugin({
  id: 'broken-peer',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Broken peer', fr: 'Pair absent' },
  requires: { nowhere: '^1.2.0' },
})
