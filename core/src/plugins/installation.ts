import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import { isDatabaseAway } from '../database/database-error.ts'
import { SocleError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { admit } from './check-plugins.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { pluginStartTimedOut } from './errors.ts'
import { detailOf, type Incidents } from './incidents.ts'
import { LoadedPlugins, type PluginSet } from './loaded-plugins.ts'
import type { LoadFault } from './loading.ts'
import { reasonText } from './reasons.ts'
import { archiveOf, forcedAmong } from './store/provenance.ts'
import { within } from './within.ts'

const healthSeconds = 10

/**
 * The first set of a process: all plugins, or the core alone where they cannot be put together.
 *
 * @throws where the core itself cannot be put together
 */
export function firstSet(
  plugins: readonly PluginDefinition[],
  assemble: (plugins: readonly PluginDefinition[]) => PluginSet,
): LoadedPlugins {
  try {
    return new LoadedPlugins(assemble, plugins)
  } catch {
    return new LoadedPlugins(assemble, plugins.slice(0, 1))
  }
}

/**
 * Where not all plugins could be taken in, each is tried on what runs already, and the one whose declaration is at fault stays
 * out.
 *
 * @param plugins - in dependency order, the core first
 * @throws what the core's declaration is wrong in
 */
export function settle(loaded: LoadedPlugins, plugins: readonly PluginDefinition[]): ReadonlyMap<string, LoadFault> {
  const faults = new Map<string, LoadFault>()
  if (loaded.isWhole && loaded.set.plugins.length === plugins.length) return faults
  const [core, ...others] = plugins
  loaded.replace(core ? [core] : [])
  for (const plugin of others) {
    try {
      const { ordered, refused } = admit([...loaded.set.plugins, plugin], { forced: forcedAmong(plugins) })
      const refusal = refused.get(plugin.id)
      if (refusal) throw refusal
      loaded.replace(ordered)
    } catch (error) {
      faults.set(plugin.id, { kind: 'declaration', error })
    }
  }
  return faults
}

/**
 * Asks plugins whether they are well, each in one workspace that has it on. Those that are not stay out, with what requires
 * them, as if they had not loaded.
 */
export async function dismissUnwell(kernel: Kernel): Promise<void> {
  const { loaded, enablement, database, incidents, clock } = kernel.parts
  const faults = new Map<string, LoadFault>()
  const ask = async ({ id, lifecycle }: PluginDefinition) => {
    const { health } = lifecycle ?? {}
    const [workspace] = health ? await enablement.workspacesOf(id) : []
    if (!health || workspace === undefined) return
    const late = new AbortController()
    const refusal = pluginStartTimedOut({ plugin: id, seconds: healthSeconds })
    try {
      await kernel.runUnit(
        { workspace, plugin: id, cause: { origin: 'plugin' }, signal: late.signal, own: true },
        (ctx) => within(healthSeconds, late, refusal, () => health(ctx)),
      )
    } catch (error) {
      if (!isDatabaseAway(error)) faults.set(id, { kind: 'load', error })
    }
  }
  await Promise.all(loaded.set.plugins.map(ask))
  if (faults.size === 0) return
  const { ordered, refused } = admit(
    loaded.set.plugins.filter(({ id }) => !faults.has(id)),
    { forced: forcedAmong(loaded.set.plugins) },
  )
  for (const [id, error] of refused) faults.set(id, { kind: 'declaration', error })
  loaded.replace(ordered)
  await keepPlugins(database, { loaded, faults, incidents, clock })
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
  for (const plugin of loaded.set.plugins.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const { id, version } = plugin
    const archive = archiveOf(plugin)
    if (archive) {
      // Its version is what was consented to, and another process may be at the next one.
      await sql`
        update core.plugin set state = 'installed', reason = null, updated_at = ${at}::timestamptz
        where id = ${id} and integrity = ${archive.integrity} and state = 'quarantined'`.execute(owner)
      continue
    }
    await sql`
      insert into core.plugin (id, version, installed_at, updated_at) values (${id}, ${version}, ${at}::timestamptz, ${at}::timestamptz)
      on conflict (id) do update set version = excluded.version, state = 'installed', reason = null, source = 'deployment',
          updated_at = excluded.updated_at
        where (core.plugin.version, core.plugin.state, core.plugin.source)
          is distinct from (excluded.version, 'installed', 'deployment')`.execute(owner)
  }
  for (const [id, { kind, error }] of faults) {
    const reason = error instanceof SocleError ? reasonText(error) : detailOf(error, kind)
    await sql`
      insert into core.plugin (id, version, state, reason, installed_at, updated_at)
      values (${id}, '', 'quarantined', ${reason}, ${at}::timestamptz, ${at}::timestamptz)
      on conflict (id) do update set state = 'quarantined', reason = excluded.reason, updated_at = excluded.updated_at`.execute(
      owner,
    )
    await incidents.note({ plugin: id, kind, error })
  }
}
