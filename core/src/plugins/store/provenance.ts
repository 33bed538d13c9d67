import type { PluginDefinition } from '../define-plugin.ts'
import type { StoredPlugin } from './artefacts.ts'

const archives = new WeakMap<PluginDefinition, StoredPlugin>()

/** Remembers from which archive a definition was loaded. */
export function rememberArchive(plugin: PluginDefinition, stored: StoredPlugin): PluginDefinition {
  archives.set(plugin, stored)
  return plugin
}

/** The archive a definition was loaded from; nothing where it comes with the deployment. */
export function archiveOf(plugin: PluginDefinition): StoredPlugin | undefined {
  return archives.get(plugin)
}

/** Those of them that run past the ranges they declare, because an administrator said so. */
export function forcedAmong(plugins: readonly PluginDefinition[]): ReadonlySet<string> {
  return new Set(plugins.filter((plugin) => archives.get(plugin)?.forced).map(({ id }) => id))
}
