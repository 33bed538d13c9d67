import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { importModule } from './import-module.ts'
import { pluginIn, type PluginSource } from './plugin-source.ts'

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly socle?: { readonly plugin?: boolean; readonly id?: string }
}

/**
 * Plugins of a deployment: those of its dependencies whose package.json says `"socle": { "plugin": true }`. None of their code
 * is run to find them.
 *
 * A plugin's id is the last part of its package's name, or `"socle": { "id": … }`.
 *
 * @param folder - of the deployment's package.json
 */
export function deployedPlugins(folder: URL): readonly PluginSource[] {
  const from = join(fileURLToPath(folder), 'package.json')
  const { dependencies = {} } = packageIn(from)
  return Object.keys(dependencies).flatMap((name) => {
    const found = folderOf(name, dirname(from))
    const { socle } = found === undefined ? {} : packageIn(join(found, 'package.json'))
    if (found === undefined || socle?.plugin !== true) return []
    const id = socle.id ?? name.slice(name.lastIndexOf('/') + 1)
    const root = pathToFileURL(`${found}/`)
    return [
      {
        id,
        from: 'deployment' as const,
        async load() {
          // As the deployment itself would import it, by the conditions this process was started with.
          const entry = createRequire(from).resolve(name)
          return { root, ...pluginIn(await importModule(pathToFileURL(entry)), id) }
        },
      },
    ]
  })
}

function packageIn(path: string): Package {
  return JSON.parse(readFileSync(path, 'utf8')) as Package
}

/** Where a dependency is installed, as Node looks for it; its package need not export its package.json. */
function folderOf(name: string, from: string): string | undefined {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return realpathSync(folder)
  const parent = dirname(from)
  return parent === from ? undefined : folderOf(name, parent)
}
