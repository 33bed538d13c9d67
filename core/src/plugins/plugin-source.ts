import type { PluginDefinition } from './define-plugin.ts'

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
