import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isPlugin, type PluginDefinition } from '@socle/core'
import { z } from 'zod'
import { sharedNamesFor, sharedVersions } from './shared-names.ts'

const door = z.union([z.string(), z.record(z.string(), z.string())])

const packageSchema = z.object({
  name: z.string(),
  version: z.string(),
  socle: z.object({ plugin: z.literal(true) }),
  exports: z.record(z.string(), door),
  dependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).default({}),
})

/** A plugin's package as it is packed from: its sources, and who must be there beside it. */
export interface PluginPackage {
  readonly folder: string
  readonly name: string
  readonly plugin: PluginDefinition
  /** Source files behind its doors; a plugin without screens or contract has none. */
  readonly main: string
  readonly contract: string | undefined
  readonly ui: string | undefined
  /** Names its screens import from the page. */
  readonly shared: readonly string[]
  /** Packages of plugins it requires. */
  readonly required: readonly string[]
}

/**
 * Reads a package and runs its code for what it declares.
 *
 * @throws an Error that says what the package lacks
 */
export async function packageOf(folder: string): Promise<PluginPackage> {
  const read = packageSchema.safeParse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))
  if (!read.success) throw new Error(`${join(folder, 'package.json')} is no plugin’s: ${z.prettifyError(read.error)}`)
  const { name, version, exports, dependencies, peerDependencies, peerDependenciesMeta } = read.data
  const source = (entry: string): string | undefined => {
    const to = exports[entry]
    const file = typeof to === 'string' ? to : (to?.['socle-source'] ?? to?.['default'])
    return file === undefined ? undefined : join(folder, file)
  }
  const main = source('.')
  if (main === undefined) throw new Error(`${name} exports no ".": that is its server code.`)
  const module = (await import(pathToFileURL(main).href)) as Record<string, unknown>
  const plugin = Object.values(module).find(isPlugin)
  if (!plugin) throw new Error(`${main} exports nothing made by definePlugin of this @socle/sdk.`)
  if (plugin.version !== version)
    throw new Error(`package.json of ${name} says ${version}, and its definePlugin says ${plugin.version}.`)
  const ui = plugin.ui && source('./ui')
  if (plugin.ui && ui === undefined) throw new Error(`${name} declares screens and exports no "./ui".`)
  return {
    folder,
    name,
    plugin,
    main,
    contract: source('./contract'),
    ui,
    shared: sharedNamesFor({ ...dependencies, ...peerDependencies }),
    required: Object.keys(peerDependencies).filter(
      (peer) => peer !== '@socle/sdk' && !(peer in sharedVersions) && peerDependenciesMeta[peer]?.optional !== true,
    ),
  }
}
