import type { InlineConfig, Plugin } from 'vite'
import { squeezeTemplates } from './squeeze-templates.ts'

/** What is built for the browser in one go. */
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

/**
 * A plugin's browser module: alone, but for what the page has once for all.
 *
 * @param shared - names it imports from the page
 */
export function pluginUnit(id: string, entry: string, shared: readonly string[]): Unit {
  return { name: `plugin:${id}`, input: { [id]: entry }, external: shared, together: [], folder: id }
}

export interface UnitOptions {
  /** Folder its paths are told from. */
  readonly root: string
  readonly outDir: string
  readonly plugins?: readonly Plugin[]
  /** Modules taken from elsewhere. */
  readonly alias?: readonly { readonly find: RegExp; readonly replacement: string }[]
}

// Lit's packages import each other by other names than ours; followed, those would drag a second Lit into the page, and
// two copies of one Lit break both. A unit that does not share Lit has one of its own.
const oneLit = (unit: Unit): Plugin => ({
  name: 'socle-one-lit',
  enforce: 'pre',
  resolveId(source, importer) {
    if (!unit.external.includes('lit')) return null
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
export function unitConfig(unit: Unit, { root, outDir, plugins = [], alias = [] }: UnitOptions): InlineConfig {
  const folder = unit.folder ? `assets/${unit.folder}` : 'assets'
  return {
    configFile: false,
    root,
    base: './',
    mode: 'production',
    logLevel: 'warn',
    publicDir: false,
    plugins: [oneLit(unit), smallTemplates, plainLazyImports, ...plugins],
    resolve: {
      conditions: ['socle-source', 'module', 'browser', 'production'],
      alias: [...alias],
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
