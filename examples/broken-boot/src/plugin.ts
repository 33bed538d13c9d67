import { definePlugin } from '@socle/sdk'

/** Its code throws as it is imported, as one does whose configuration is missing. */
export const brokenBootPlugin = definePlugin({
  id: 'broken-boot',
  version: versionOf(undefined),
  platform: '^1.0.0',
  title: { en: 'Broken at boot', fr: 'Cassé au démarrage' },
})

function versionOf(configuration: { version: string } | undefined): string {
  if (!configuration) throw new Error('broken-boot has no configuration')
  return configuration.version
}
