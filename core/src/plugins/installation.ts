import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import { admit } from './check-plugins.ts'
import type { PluginDefinition } from './define-plugin.ts'
import type { Incidents } from './incidents.ts'
import { LoadedPlugins, type PluginSet } from './loaded-plugins.ts'
import type { LoadFault } from './loading.ts'

/**
 * The first set of a process. Where plugins cannot be put together, each is tried on what runs already, and the one whose
 * declaration is at fault stays out.
 *
 * @throws where the core itself cannot be put together
 */
export function firstSet(
  plugins: readonly PluginDefinition[],
  assemble: (plugins: readonly PluginDefinition[]) => PluginSet,
): { readonly loaded: LoadedPlugins; readonly fault: ReadonlyMap<string, LoadFault> } {
  const fault = new Map<string, LoadFault>()
  try {
    return { loaded: new LoadedPlugins(assemble, plugins), fault }
  } catch {
    const [core, ...others] = plugins
    const loaded = new LoadedPlugins(assemble, core ? [core] : [])
    for (const plugin of others) {
      try {
        const { ordered, refused } = admit([...loaded.set.plugins, plugin])
        const refusal = refused.get(plugin.id)
        if (refusal) throw refusal
        loaded.replace(ordered)
      } catch (error) {
        fault.set(plugin.id, { kind: 'declaration', error })
      }
    }
    return { loaded, fault }
  }
}

/** Writes which plugins this installation has, and which of them do not run and why; operators and other processes read it. */
export async function keepPlugins(
  { owner }: Pick<Database, 'owner'>,
  {
    loaded,
    faults,
    incidents,
    clock,
  }: {
    readonly loaded: LoadedPlugins
    readonly faults: ReadonlyMap<string, LoadFault>
    readonly incidents: Incidents
    readonly clock: Clock
  },
): Promise<void> {
  const at = clock.now().toISOString()
  for (const { id, version } of loaded.set.plugins.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    await sql`
      insert into core.plugin (id, version, installed_at, updated_at) values (${id}, ${version}, ${at}::timestamptz, ${at}::timestamptz)
      on conflict (id) do update set version = excluded.version, state = 'installed', reason = null, updated_at = excluded.updated_at
        where (core.plugin.version, core.plugin.state) is distinct from (excluded.version, 'installed')`.execute(owner)
  }
  for (const [id, { kind, error }] of faults) {
    const reason = error instanceof Error ? error.message : String(error)
    await sql`
      insert into core.plugin (id, version, state, reason, installed_at, updated_at)
      values (${id}, '', 'quarantined', ${reason}, ${at}::timestamptz, ${at}::timestamptz)
      on conflict (id) do update set state = 'quarantined', reason = excluded.reason, updated_at = excluded.updated_at`.execute(
      owner,
    )
    await incidents.note({ plugin: id, kind, error })
  }
}
