import { definePlugin } from '@socle/sdk'

/** The second statement of its migration fails: the first must leave nothing behind. */
export const brokenMigrationPlugin = definePlugin({
  id: 'broken-migration',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Broken migration', fr: 'Migration cassée' },
  migrations: new URL('../migrations/', import.meta.url),
})
