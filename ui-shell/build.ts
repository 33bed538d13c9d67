import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { kitName, litMoreNames, litNames, pluginUnit, sharedNamesFor, type Unit } from '@socle/sdk/pack'
import type { Plugin } from 'vite'
import type { UiManifest } from './src/build/manifest.ts'
import { dropOldAssets } from './src/build/old-assets.ts'
import { renderPage } from './src/build/page.ts'
import { kitUnit, litMoreUnit, litUnit, shellUnit, shellUnitConfig } from './vite.config.ts'

export type { UiManifest } from './src/build/manifest.ts'

const here = dirname(fileURLToPath(import.meta.url))
const repository = resolve(here, '..')

export interface BuildOptions {
  /** Plugins with a UI: `entry` is the source file of its `./ui` export. */
  readonly plugins: readonly { readonly id: string; readonly entry: string }[]
  /** Where `manifest.json`, `index.html` and `assets/` go, e.g. `dist/ui`. */
  readonly outDir: string
  /** One line per unit: built or unchanged, and in which time. */
  readonly report?: (line: string) => void
}

/** What a unit was built from and what came out; a unit whose inputs still hash the same is not built again. */
interface BuiltUnit {
  readonly recipe: string
  readonly inputs: Readonly<Record<string, string>>
  readonly entry: string
  readonly css: readonly string[]
  readonly files: readonly string[]
  /** Static imports of each script: what the browser would find out one round trip later. */
  readonly imports: Readonly<Record<string, readonly string[]>>
}

/**
 * Builds the shell, the modules it shares and every plugin's UI, each unit alone and only when its sources changed.
 *
 * @returns the manifest, as written to `<outDir>/manifest.json`
 * @throws the bundler's error, with the file and line it names
 */
export async function buildUi(options: BuildOptions): Promise<UiManifest> {
  const outDir = resolve(options.outDir)
  await mkdir(join(outDir, 'assets'), { recursive: true })
  const cacheFile = join(outDir, '.cache.json')
  const cache: Record<string, BuiltUnit> = await readJson(cacheFile, {})
  const recipe = await recipeHash()
  const units = [
    litUnit,
    litMoreUnit,
    kitUnit,
    shellUnit,
    ...(await Promise.all(options.plugins.map(({ id, entry }) => unitOf(id, resolve(entry))))),
  ]
  const built: Record<string, BuiltUnit> = {}
  for (const unit of units) {
    const started = performance.now()
    const old = cache[unit.name]
    const fresh = old && (await isUnchanged(old, recipe, unit, outDir))
    built[unit.name] = fresh ? old : await buildUnit(unit, outDir, recipe)
    options.report?.(`${unit.name} ${fresh ? 'unchanged' : 'built'} ${Math.round(performance.now() - started)} ms`)
  }
  const manifest = await writePage(built, options.plugins, outDir)
  await writeWhole(cacheFile, JSON.stringify({ ...cache, ...built }))
  const used = new Set(Object.values({ ...cache, ...built }).flatMap((unit) => unit.files))
  const replacedFile = join(outDir, '.replaced.json')
  const replaced = await dropOldAssets(outDir, used, await readJson(replacedFile, {}), Date.now())
  await writeWhole(replacedFile, JSON.stringify(replaced))
  return manifest
}

/** Its package, the nearest above its entry, says which versions it needs. */
async function unitOf(id: string, entry: string): Promise<Unit> {
  const { dependencies, peerDependencies } = await packageAbove(dirname(entry))
  return pluginUnit(id, entry, sharedNamesFor({ ...dependencies, ...peerDependencies }))
}

type Ranges = Readonly<Record<string, string>>

async function packageAbove(folder: string): Promise<{ dependencies?: Ranges; peerDependencies?: Ranges }> {
  const path = join(folder, 'package.json')
  return existsSync(path) || folder === dirname(folder) ? readJson(path, {}) : packageAbove(dirname(folder))
}

async function buildUnit(unit: Unit, outDir: string, recipe: string): Promise<BuiltUnit> {
  // Loaded here: an unchanged UI must not pay for the bundler.
  const { build } = await import('vite')
  const inputs: Record<string, string> = {}
  const record: Plugin = {
    name: 'socle-inputs',
    async buildEnd() {
      for (const id of this.getModuleIds()) {
        const file = id.split('?', 1)[0] as string
        if (file.startsWith('\0') || file.includes(`${sep}node_modules${sep}`) || !existsSync(file)) continue
        inputs[relative(repository, file)] = await hashFile(file)
      }
    },
  }
  const result = await build(shellUnitConfig(unit, outDir, [record]))
  if (!('output' in result)) throw new Error(`The bundler answered no output for ${unit.name}`)
  const entry = result.output.find((part) => part.type === 'chunk' && part.isEntry)
  if (!entry || entry.type !== 'chunk') throw new Error(`${unit.name} has no entry chunk`)
  const files = result.output.map((part) => part.fileName)
  await Promise.all(files.filter(isText).map((file) => compress(join(outDir, file))))
  return {
    recipe: `${recipe} ${JSON.stringify(unit)}`,
    inputs,
    entry: entry.fileName,
    css: files.filter((file) => file.endsWith('.css')),
    files,
    imports: Object.fromEntries(
      result.output
        .filter((part) => part.type === 'chunk')
        .map(({ fileName, imports }) => [fileName, imports.filter((file) => files.includes(file))]),
    ),
  }
}

const isText = (file: string) => /\.(js|css)$/.test(file)

/** Compressed once here, so that serving costs nothing: `x.js.br` and `x.js.gz` beside `x.js`. */
async function compress(path: string): Promise<void> {
  const content = await readFile(path)
  const quality = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  }
  const [small, smaller] = await Promise.all([
    promisify(gzip)(content, { level: 9 }),
    promisify(brotliCompress)(content, quality),
  ])
  await Promise.all([writeFile(`${path}.gz`, small), writeFile(`${path}.br`, smaller)])
}

async function isUnchanged(old: BuiltUnit, recipe: string, unit: Unit, outDir: string): Promise<boolean> {
  if (old.recipe !== `${recipe} ${JSON.stringify(unit)}`) return false
  if (!old.files.every((file) => existsSync(join(outDir, file)))) return false
  const now = await Promise.all(
    Object.entries(old.inputs).map(async ([file, hash]) => {
      const path = join(repository, file)
      return existsSync(path) && (await hashFile(path)) === hash
    }),
  )
  return now.every(Boolean)
}

/** What the first list of records fetches before its rows stand there. */
async function firstList(built: Readonly<Record<string, BuiltUnit>>, outDir: string): Promise<UiManifest['firstList']> {
  const imports = Object.assign({}, ...Object.values(built).map((unit) => unit.imports)) as BuiltUnit['imports']
  const list = Object.keys(imports).find((file) => file.startsWith('assets/shell-record-list-'))
  const wanted = [...['lit', 'kit', 'shell'].map((name) => built[name]?.entry), list].filter((it) => it !== undefined)
  const scripts = new Set<string>()
  const take = (file: string): void => {
    if (scripts.has(file)) return
    scripts.add(file)
    imports[file]?.forEach(take)
  }
  wanted.forEach(take)
  const sizes = await Promise.all(
    [...scripts].map(async (file) => [file, (await stat(join(outDir, `${file}.gz`))).size] as const),
  )
  return Object.fromEntries(sizes)
}

async function writePage(
  built: Readonly<Record<string, BuiltUnit>>,
  plugins: BuildOptions['plugins'],
  outDir: string,
): Promise<UiManifest> {
  const unit = (name: string) => built[name] as BuiltUnit
  const url = (file: string) => `/${file}`
  const lit = url(unit('lit').entry)
  const kit = url(unit('kit').entry)
  const shell = unit('shell')
  const litMore = url(unit('lit-more').entry)
  const entryImports = ({ entry, imports }: BuiltUnit) => (imports[entry] ?? []).map(url)
  const importMap = Object.fromEntries([
    ...litNames.map((name) => [name, lit]),
    ...litMoreNames.map((name) => [name, litMore]),
    [kitName, kit],
  ])
  const preload = [lit, kit, ...entryImports(unit('kit')), url(shell.entry), ...entryImports(shell)]
  const styles = [...unit('kit').css, ...shell.css].map(url)
  const font = shell.files.find((file) => /inter-latin-wght-normal.*\.woff2$/.test(file))
  const page = renderPage({
    importMap,
    script: url(shell.entry),
    styles,
    modules: preload,
    font: font && url(font),
  })
  const manifest: UiManifest = {
    importMap,
    shell: { js: url(shell.entry), css: styles },
    plugins: Object.fromEntries(plugins.map(({ id }) => [id, url(unit(`plugin:${id}`).entry)])),
    preload,
    scriptHashes: page.scriptHashes,
    csp: page.csp,
    html: hash(page.html),
    firstList: await firstList(built, outDir),
  }
  await writeWhole(join(outDir, 'index.html'), page.html)
  await writeWhole(join(outDir, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return manifest
}

/** Everything beside the sources that decides what a build gives: how it is built, and with which packages. */
async function recipeHash(): Promise<string> {
  const files = [
    join(here, 'build.ts'),
    join(here, 'vite.config.ts'),
    join(here, 'src/build/manifest.ts'),
    join(repository, 'sdk/pack/browser-unit.ts'),
    join(repository, 'sdk/pack/shared-names.ts'),
    join(repository, 'sdk/pack/squeeze-templates.ts'),
    join(repository, 'package-lock.json'),
  ]
  const parts = await Promise.all(files.map(async (file) => (existsSync(file) ? hashFile(file) : '')))
  return hash(parts.join(' '))
}

/** Written aside and renamed: a server that reads meanwhile sees the old file or the new one, never half. */
async function writeWhole(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  await writeFile(aside, text)
  await rename(aside, path)
}

async function hashFile(path: string): Promise<string> {
  return hash(await readFile(path))
}

function hash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 16)
}

async function readJson<T>(path: string, otherwise: T): Promise<T> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return otherwise
  }
}

/** Plugins with a UI of the deployment that `npm start` runs: `plugins/*` and `examples/*` it depends on. */
export async function pluginsOfRepository(): Promise<{ id: string; entry: string }[]> {
  const { dependencies } = await readJson<{ dependencies: Readonly<Record<string, string>> }>(
    join(repository, 'examples/company/package.json'),
    { dependencies: {} },
  )
  const found: { id: string; entry: string }[] = []
  for (const folder of ['plugins', 'examples']) {
    const path = join(repository, folder)
    if (!existsSync(path)) continue
    for (const id of await readdir(path)) {
      const entry = join(path, id, 'src/ui/index.ts')
      const { name } = await readJson<{ name?: string }>(join(path, id, 'package.json'), {})
      if (name !== undefined && name in dependencies && existsSync(entry)) found.push({ id, entry })
    }
  }
  return found
}

// node ui-shell/build.ts [--out dist/ui] [id=entry …]: without plugins named, those of the repository.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2)
  const at = words.indexOf('--out')
  const outDir = at >= 0 ? words.splice(at, 2)[1] : undefined
  const named = words.map((word) => {
    const [id = '', entry = ''] = word.split('=', 2)
    return { id, entry }
  })
  const started = performance.now()
  await buildUi({
    plugins: named.length ? named : await pluginsOfRepository(),
    outDir: outDir ?? join(here, 'dist/ui'),
    report: (line) => console.log(line),
  })
  console.log(`ui ready in ${Math.round(performance.now() - started)} ms`)
}
