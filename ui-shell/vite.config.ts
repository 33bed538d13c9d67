import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InlineConfig, Plugin } from 'vite'
import { litNames, sharedNames } from './src/build/manifest.ts'

const here = dirname(fileURLToPath(import.meta.url))

const kitFolder = join(here, '../sdk/ui')

export interface Unit {
  readonly name: string
  /** Chunk name → source file. */
  readonly input: Readonly<Record<string, string>>
  readonly external: readonly string[]
  /** Folder below `assets/`; empty for the platform's own files. */
  readonly folder: string
}

export const litUnit: Unit = { name: 'lit', input: { lit: join(here, 'src/vendor/lit.ts') }, external: [], folder: '' }
export const kitUnit: Unit = {
  name: 'kit',
  input: { kit: join(kitFolder, 'index.ts') },
  external: litNames,
  folder: '',
}
export const shellUnit: Unit = {
  name: 'shell',
  input: { shell: join(here, 'src/main.ts') },
  external: sharedNames,
  folder: '',
}

export function pluginUnit(id: string, entry: string): Unit {
  return { name: `plugin:${id}`, input: { [id]: entry }, external: sharedNames, folder: id }
}

// A directive resolved past the import map would drag Lit's core in with it, and two Lits in one page break both.
const oneLit = (unit: Unit): Plugin => ({
  name: 'socle-one-lit',
  enforce: 'pre',
  resolveId(source) {
    if (unit.name === 'lit' || !/^(lit-html|lit-element|@lit\/reactive-element)(\/|$)/.test(source)) return null
    const asLit = source.replace(/^lit-html\/(directives?\/|async-directive|directive)/, 'lit/$1')
    return { id: unit.external.includes(asLit) ? asLit : 'lit', external: true }
  },
})

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
    plugins: [oneLit(unit), ...plugins],
    resolve: {
      conditions: ['socle-source', 'module', 'browser', 'production'],
      alias: [
        // It calls home in development and costs bytes in production.
        {
          find: /^@vaadin\/vaadin-usage-statistics(\/.*)?$/,
          replacement: join(here, 'src/vendor/no-usage-statistics.ts'),
        },
        // Messages are parsed by the kit's own small parser; the package's would be 10 kB for what nobody writes.
        {
          find: /^@formatjs\/icu-messageformat-parser$/,
          replacement: '@formatjs/icu-messageformat-parser/no-parser.js',
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
        // Lazy parts take what they share from the entry, instead of each sharing its own small file.
        preserveEntrySignatures: 'allow-extension',
        output: {
          format: 'es',
          entryFileNames: `${folder}/[name]-[hash].js`,
          chunkFileNames: `${folder}/[name]-[hash].js`,
          assetFileNames: `${folder}/[name]-[hash][extname]`,
        },
      },
    },
  }
}

export default unitConfig(shellUnit, join(here, 'dist/ui'), [])
