import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Database, Sql } from '../database/database.ts'
import { isDatabaseAway } from '../database/database-error.ts'
import { SocleError } from '../errors.ts'
import { flushEmissions } from '../events/outbox.ts'
import type { Kernel } from '../kernel.ts'
import { admit } from './check-plugins.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { pluginStartTimedOut } from './errors.ts'
import { detailOf, type Incidents } from './incidents.ts'
import { LoadedPlugins, type PluginSet } from './loaded-plugins.ts'
import type { LoadFault } from './loading.ts'
import { PluginQuarantined } from './plugin-events.ts'
import { reasonText } from './reasons.ts'
import { archiveOf, forcedAmong } from './store/provenance.ts'
import { recordOfPlugin } from './toggle-ledger.ts'

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
 *
 * @param only - the one to ask; all when absent
 * @returns those that went, and why
 */
export async function dismissUnwell(kernel: Kernel, only?: string): Promise<ReadonlyMap<string, LoadFault>> {
  const { loaded, enablement, database, incidents, clock } = kernel.parts
  const faults = new Map<string, LoadFault>()
  const well: string[] = []
  const ask = async ({ id, lifecycle }: PluginDefinition) => {
    const { health } = lifecycle ?? {}
    if (!health) return
    const [workspace] = await enablement.workspacesOf(id)
    if (workspace === undefined) {
      well.push(id)
      return
    }
    const limit = { seconds: healthSeconds, late: pluginStartTimedOut }
    try {
      await kernel.runUnit({ workspace, plugin: id, cause: { origin: 'plugin' }, own: true, limit }, health)
      well.push(id)
    } catch (error) {
      if (!isDatabaseAway(error)) faults.set(id, { kind: 'load', error })
    }
  }
  await Promise.all(loaded.set.plugins.filter(({ id }) => only === undefined || id === only).map(ask))
  if (well.length > 0)
    await sql`
      update core.plugin set state = 'installed', reason = null, updated_at = ${clock.now().toISOString()}::timestamptz
      where id = any(${well}::text[]) and state = 'quarantined'`.execute(database.owner)
  if (faults.size === 0) return faults
  const { ordered, refused } = admit(
    loaded.set.plugins.filter(({ id }) => !faults.has(id)),
    { forced: forcedAmong(loaded.set.plugins) },
  )
  for (const [id, error] of refused) faults.set(id, { kind: 'declaration', error })
  loaded.replace(ordered)
  await keepPlugins(database, { loaded, faults, incidents, clock })
  return faults
}

/**
 * Writes which plugins this installation has, and which of them do not run and why; operators and other processes read it. What
 * is on its way out, or went while this process loaded it, stays so.
 */
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
    const { id, version, requires = {}, lifecycle } = plugin
    const archive = archiveOf(plugin)
    // One that was stopped and can say how it is stays so until it says that it is well.
    const isAsked = lifecycle?.health !== undefined
    if (archive) {
      // Its version is what was consented to, and another process may be at the next one.
      await sql`
        update core.plugin set state = 'installed', reason = null, updated_at = ${at}::timestamptz
        where id = ${id} and integrity = ${archive.integrity} and state = 'quarantined' and not ${isAsked}::boolean`.execute(
        owner,
      )
      continue
    }
    await sql`
      insert into core.plugin (id, version, requires, installed_at, updated_at)
      values (${id}, ${version}, ${JSON.stringify(requires)}::jsonb, ${at}::timestamptz, ${at}::timestamptz)
      on conflict (id) do update set version = excluded.version, requires = excluded.requires,
          state = case when ${isAsked}::boolean then core.plugin.state else 'installed' end,
          reason = case when ${isAsked}::boolean then core.plugin.reason end,
          source = 'deployment', updated_at = excluded.updated_at
        where core.plugin.state not in ('removing', 'removed')
          and (core.plugin.version, core.plugin.requires, core.plugin.state, core.plugin.source)
            is distinct from (excluded.version, excluded.requires, 'installed', 'deployment')`.execute(owner)
  }
  for (const [id, { kind, error }] of faults) {
    const reason = error instanceof SocleError ? reasonText(error) : detailOf(error, kind)
    await owner.transaction().execute(async (tx) => {
      const { rows } = await sql<{ state: string }>`select state from core.plugin where id = ${id} for update`.execute(
        tx,
      )
      await sql`
        insert into core.plugin (id, version, state, reason, installed_at, updated_at)
        values (${id}, '', 'quarantined', ${reason}, ${at}::timestamptz, ${at}::timestamptz)
        on conflict (id) do update set state = 'quarantined', reason = excluded.reason, updated_at = excluded.updated_at
          where core.plugin.state not in ('removing', 'removed')`.execute(tx)
      // Not at each start, nor by each process.
      if (rows[0]?.state === 'installed') await tellStopped(tx, id, { reason: detailOf(error, kind), at })
    })
    await incidents.note({ plugin: id, kind, error })
  }
}

/** Tells every workspace that has a plugin on that it does not run. */
async function tellStopped(
  tx: Sql,
  plugin: string,
  { reason, at }: { readonly reason: string; readonly at: string },
): Promise<void> {
  const { rows } = await sql<{ workspace: string }>`
    select workspace from core.plugin_workspace where plugin = ${plugin} and state = 'enabled' order by workspace`.execute(
    tx,
  )
  const told = { ...PluginQuarantined, payload: { plugin, reason }, key: recordOfPlugin(plugin) }
  for (const { workspace } of rows) await flushEmissions(tx, { workspace, emissions: [told], at })
}
