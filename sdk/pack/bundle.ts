import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import type { InlineConfig, Plugin } from 'vite'
import { pluginUnit, unitConfig } from './browser-unit.ts'
import type { PluginPackage } from './package-of.ts'

/** Files of a bundle by their path in the archive. */
export type Bundle = ReadonlyMap<string, Uint8Array>

/**
 * The server code with all it depends on in `server/`. The SDK and the contracts of required plugins stay outside: there is
 * one copy of each in a process, and two would not know each other's tokens.
 *
 * @returns the files, and the packages whose contracts are imported
 */
export async function bundleServer({
  main,
  contract,
  required,
  folder,
}: PluginPackage): Promise<{ readonly files: Bundle; readonly peers: readonly string[] }> {
  const peers = new Set<string>()
  const outside = (id: string) => {
    if (id === '@socle/sdk') return true
    const peer = required.find((it) => id === `${it}/contract`)
    if (peer !== undefined) peers.add(peer)
    return peer !== undefined
  }
  const noCopies: Plugin = {
    name: 'socle-no-copies',
    buildEnd() {
      const copied = [...this.getModuleIds()].find((id) =>
        /[\\/](?:@mikro-orm|kysely|@socle[\\/](?:sdk|core))[\\/]/.test(id),
      )
      if (copied !== undefined)
        throw new Error(`${copied} would be bundled. Import it from "@socle/sdk": the platform has one copy of it.`)
    },
  }
  const files = await built((outDir) => ({
    configFile: false,
    root: folder,
    logLevel: 'warn',
    publicDir: false,
    plugins: [noCopies],
    // Also what its optional peers say in their contracts: they may be absent where it runs.
    ssr: { noExternal: true, resolve: { conditions: ['socle-source', 'module', 'node', 'production'] } },
    build: {
      ssr: true,
      emptyOutDir: false,
      outDir,
      target: 'node22',
      minify: false,
      rolldownOptions: {
        input: { plugin: main, ...(contract === undefined ? {} : { contract }) },
        external: outside,
        // Comments that name files of the machine it was packed on would make other bytes of the same sources.
        experimental: { attachDebugInfo: 'none' },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'parts/[name]-[hash].js' },
      },
    },
  }))
  return { files: new Map([...files].map(([path, bytes]) => [`server/${path}`, bytes])), peers: [...peers].toSorted() }
}

/** The screens' module as the platform builds those of its deployment, in `ui/`. */
export async function bundleScreens({
  plugin: { id },
  ui,
  shared,
  folder,
}: PluginPackage): Promise<{ readonly files: Bundle; readonly entry: string | undefined }> {
  if (ui === undefined) return { files: new Map(), entry: undefined }
  const unit = pluginUnit(id, ui, shared)
  const files = await built((outDir) => unitConfig(unit, { root: folder, outDir }))
  const own = new Map([...files].map(([path, bytes]) => [path.replace(`assets/${id}/`, 'ui/'), bytes]))
  return { files: own, entry: [...own.keys()].find((path) => path.startsWith(`ui/${id}-`) && path.endsWith('.js')) }
}

async function built(config: (outDir: string) => InlineConfig): Promise<Bundle> {
  // Loaded here: whoever only signs must not pay for the bundler.
  const { build } = await import('vite')
  const outDir = await mkdtemp(join(tmpdir(), 'socle-pack-'))
  try {
    const result = await build(config(outDir))
    if (!('output' in result)) throw new Error('The bundler answered no output.')
    return new Map(
      await Promise.all(
        result.output.map(
          async ({ fileName }) => [fileName.split(sep).join('/'), await readFile(join(outDir, fileName))] as const,
        ),
      ),
    )
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
}
