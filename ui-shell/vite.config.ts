import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InlineConfig, Plugin } from 'vite'
import { squeezeTemplates } from './src/build/squeeze-templates.ts'
import { litMoreNames, litNames, sharedNames } from './src/build/manifest.ts'

const here = dirname(fileURLToPath(import.meta.url))

export interface Unit {
  readonly name: string
  /** Chunk name → source file. */
  readonly input: Readonly<Record<string, string>>
  readonly external: readonly string[]
  /** What a first screen needs in one file, where sharing would make many. */
  readonly together: readonly { readonly name: string; readonly test: RegExp }[]
  /** Folder below `assets/`; empty for the platform's own files. */
  readonly folder: string
}

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

export function pluginUnit(id: string, entry: string): Unit {
  return { name: `plugin:${id}`, input: { [id]: entry }, external: sharedNames, together: [], folder: id }
}

// Lit's packages import each other by other names than ours; followed, those would drag a second Lit into the page, and
// two Lits break both.
const oneLit = (unit: Unit): Plugin => ({
  name: 'socle-one-lit',
  enforce: 'pre',
  resolveId(source, importer) {
    if (unit.name === 'lit') return null
    const within = /\/node_modules\/(lit-html|lit-element|@lit\/reactive-element)\//.exec(importer ?? '')
    const core = /^(lit-html|lit-element|@lit\/reactive-element)(\/.*)?$/.exec(source)
    if (core && !source.startsWith('lit-html/directives/')) return { id: publicName(source), external: true }
    if (
      within &&
      /^\.\.?\/(lit-html|directive|async-directive|directive-helpers|reactive-element|css-tag)\.js$/.test(source)
    ) {
      return { id: publicName(source), external: true }
    }
    return null
  },
})

function publicName(source: string): string {
  const part = /(async-directive|directive-helpers|directive)\.js$/.exec(source)
  return part ? `lit/${part[1]}.js` : 'lit'
}

// Vite wraps lazy imports to preload what they need; with one chunk per screen there is nothing to preload.
const plainLazyImports: Plugin = {
  name: 'socle-plain-lazy-imports',
  configResolved(config) {
    const plugins = config.plugins as Plugin[]
    const at = plugins.findIndex((it) => it.name === 'native:import-analysis-build')
    if (at >= 0) plugins.splice(at, 1)
  },
}

// Minifiers leave template literals alone, and half of an element is one.
const smallTemplates: Plugin = {
  name: 'socle-small-templates',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('.ts') || !/\b(css|html)`/.test(code)) return null
    return { code: squeezeTemplates(code), map: null }
  },
}

/** One build of one unit. Each is built alone, so that a change in one leaves the others' files and hashes as they are. */
export function unitConfig(unit: Unit, outDir: string, plugins: Plugin[]): InlineConfig {
  const folder = unit.folder ? `assets/${unit.folder}` : 'assets'
  return {
    configFile: false,
    root: here,
    base: './',
    mode: 'production',
    logLevel: 'warn',
    publicDir: false,
    plugins: [oneLit(unit), smallTemplates, plainLazyImports, ...plugins],
    resolve: {
      conditions: ['socle-source', 'module', 'browser', 'production'],
      alias: [
        // It calls home in development and costs bytes in production.
        {
          find: /^@vaadin\/vaadin-usage-statistics(\/.*)?$/,
          replacement: join(here, 'src/vendor/no-usage-statistics.ts'),
        },
      ],
    },
    build: {
      outDir,
      emptyOutDir: false,
      copyPublicDir: false,
      target: 'es2023',
      modulePreload: false,
      cssCodeSplit: true,
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      rolldownOptions: {
        input: { ...unit.input },
        external: [...unit.external],
        checks: { pluginTimings: false },
        // Lazy parts take what they share from the entry, instead of each sharing its own small file.
        preserveEntrySignatures: 'allow-extension',
        output: {
          format: 'es',
          entryFileNames: `${folder}/[name]-[hash].js`,
          chunkFileNames: `${folder}/[name]-[hash].js`,
          assetFileNames: `${folder}/[name]-[hash][extname]`,
          ...(unit.together.length > 0 && {
            codeSplitting: { includeDependenciesRecursively: false, groups: [...unit.together] },
          }),
        },
      },
    },
  }
}

export default unitConfig(shellUnit, join(here, 'dist/ui'), [])
