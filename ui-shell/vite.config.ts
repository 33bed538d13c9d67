import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { litMoreNames, litNames, sharedNames, unitConfig, type Unit } from '@socle/sdk/pack'
import type { InlineConfig, Plugin } from 'vite'

const here = dirname(fileURLToPath(import.meta.url))

export const litUnit: Unit = {
  name: 'lit',
  input: { lit: join(here, 'src/vendor/lit.ts') },
  external: [],
  together: [],
  folder: '',
}
export const litMoreUnit: Unit = {
  name: 'lit-more',
  input: { 'lit-more': join(here, 'src/vendor/lit-more.ts') },
  external: litNames,
  together: [],
  folder: '',
}
export const kitUnit: Unit = {
  name: 'kit',
  input: { kit: join(here, '../sdk/ui/index.ts') },
  external: [...litNames, ...litMoreNames],
  together: [],
  folder: '',
}
/** What a list is made of and other screens of records share with it. */
const ofRecords =
  /\/src\/(page|records\/(many|media-query|own-changes|record-list|resources|stages|titles|trail|list-state|saved-views))\.ts$/

export const shellUnit: Unit = {
  name: 'shell',
  input: { shell: join(here, 'src/main.ts') },
  external: sharedNames,
  together: [{ name: 'records', test: ofRecords }],
  folder: '',
}

/** One build of one unit, with what the platform's own modules need. */
export function shellUnitConfig(unit: Unit, outDir: string, plugins: readonly Plugin[] = []): InlineConfig {
  return unitConfig(unit, {
    root: here,
    outDir,
    plugins,
    alias: [
      // It calls home in development and costs bytes in production.
      {
        find: /^@vaadin\/vaadin-usage-statistics(\/.*)?$/,
        replacement: join(here, 'src/vendor/no-usage-statistics.ts'),
      },
    ],
  })
}

export default shellUnitConfig(shellUnit, join(here, 'dist/ui'))
