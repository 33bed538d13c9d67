import type { PluginDefinition } from './define-plugin.ts'
import { pluginNotExported } from './errors.ts'

/** A plugin that may be loaded: what is known of it without running its code, and how to run it. */
export interface PluginSource {
  readonly id: string
  readonly from: 'deployment' | 'store'
  /** Runs its code; may fail in any way code can, or never end. */
  readonly load: () => Promise<PluginDefinition>
}

/** A plugin the deployment's own code has loaded already. */
export function present(plugin: PluginDefinition): PluginSource {
  return { id: plugin.id, from: 'deployment', load: () => Promise.resolve(plugin) }
}

/**
 * The plugin a package's module exports, under whatever name; of several the one of this id.
 *
 * @throws `PLUGIN_NOT_EXPORTED`
 */
export function pluginIn(module: Readonly<Record<string, unknown>>, id: string): PluginDefinition {
  const found = Object.values(module).filter(isPlugin)
  const plugin = found.find((it) => it.id === id) ?? found[0]
  if (!plugin) throw pluginNotExported({ plugin: id })
  return plugin
}

function isPlugin(value: unknown): value is PluginDefinition {
  const { id, version, platform } = (value ?? {}) as Partial<Record<keyof PluginDefinition, unknown>>
  return typeof id === 'string' && typeof version === 'string' && typeof platform === 'string'
}
