import { sql } from 'kysely'
import type { z } from 'zod'
import type { Workspace } from '../actor.ts'
import type { Sql } from '../database/database.ts'
import { SocleError } from '../errors.ts'
import type { EventDefinition } from '../events/event.ts'
import { holdDeliveries, releaseDeliveries, type Switch } from '../events/holds.ts'
import { flushEmissions } from '../events/outbox.ts'
import type { Kernel } from '../kernel.ts'
import type { UnitLimit } from '../unit-end.ts'
import { refusalFor } from './absence.ts'
import type { Disposer, PluginDefinition } from './define-plugin.ts'
import { fillWithDemo, showsDemo } from './demo.ts'
import { demandFit, installedDependents } from './dependents.ts'
import type { PluginState, Standing } from './enablement.ts'
import {
  operationLost,
  pluginHasDependents,
  pluginNotStarted,
  pluginStartTimedOut,
  pluginStopTimedOut,
  pluginUnknown,
} from './errors.ts'
import { detailOf } from './incidents.ts'
import { isNewer } from './newer.ts'
import type { Held, Operations } from './operations.ts'
import { PluginDisabled, PluginEnabled, PluginQuarantined } from './plugin-events.ts'
import { reasonText } from './reasons.ts'
import { offerRoles } from './role-offers.ts'
import { recordOfPlugin } from './toggle-ledger.ts'

const startLimit: UnitLimit = { seconds: 30, late: pluginStartTimedOut }

/** Who switches. */
interface By {
  readonly workspace: Workspace
  /** User who asks; the platform itself when absent. */
  readonly by: string | undefined
}

/** Switches plugins on and off in a workspace: at once, in every process, without a restart. */
export class Toggle {
  readonly #kernel: Kernel
  readonly #operations: Operations

  constructor(kernel: Kernel, operations: Operations) {
    this.#kernel = kernel
    this.#operations = operations
  }

  /**
   * Nobody reaches the plugin before it has said that it is well and prepared the workspace; where it cannot, it stays as it
   * was, with nothing half done.
   *
   * @throws `PLUGIN_UNKNOWN`, `PLUGIN_QUARANTINED`, `PLUGIN_REQUIREMENT_MISSING`, `PLUGIN_BUSY`, `PLUGIN_NOT_STARTED`
   */
  async enable(workspace: Workspace, id: string, by: string | undefined): Promise<void> {
    const { enablement, loaded, plugins } = this.#kernel.parts
    const plugin = loaded.get(id)
    if (!plugin) throw (await refusalFor(this.#kernel.parts, workspace.id, id)) ?? pluginUnknown({ plugin: id })
    const on = await enablement.in(workspace.id)
    if (on.has(id)) return
    demandFit(plugins, on, plugin)
    const request = { operation: 'enable', plugins: [id], workspace: workspace.id, by } as const
    await this.#operations.run(request, (held) => this.#enable({ workspace, by }, plugin, held))
  }

  async #enable({ workspace, by }: By, plugin: PluginDefinition, held: Held): Promise<void> {
    const { enablement, scopes, clock, signals, faults } = this.#kernel.parts
    const { id } = plugin
    const place = { workspace: workspace.id, plugin: id }
    const move = { ...place, by, at: clock.now() }
    const stood = await enablement.move({ ...move, state: 'enabling' }, { from: (state) => state !== 'enabled' })
    // Somebody was faster.
    if (!stood) return
    const last = await this.#begunBefore(place)
    // Whoever died on the way on left no version: the workspace is as if nobody had tried.
    const before: Partial<Standing> =
      stood.state !== 'enabling' ? stood : last === undefined ? {} : { state: 'disabled' }
    let disposer: Disposer | undefined
    try {
      // What came while it was off or stopped here has not prepared the workspace yet.
      const since = last !== undefined && isNewer(plugin.version, last) ? { from: last } : {}
      disposer = await this.#begin(workspace, plugin, { last, isFirst: last === undefined, ...since })
      const also = async (tx: Sql, standings: ReadonlyMap<string, Standing>) => {
        await held.keep(tx)
        demandFit(this.#kernel.parts.plugins, enabledOf(standings), plugin)
        await releaseDeliveries(tx, place)
        await this.#tell(tx, workspace, PluginEnabled, { plugin: id, by: by ?? null })
      }
      await enablement.move({ ...move, state: 'enabled' }, { from: (state) => state === 'enabling', also })
    } catch (error) {
      await enablement.back(place, before)
      await disposer?.()
      throw error
    }
    faults.forget(place)
    if (disposer) scopes.keep(place, disposer)
    signals.send({ kind: 'deliveries' })
    if (last === undefined && (await showsDemo(this.#kernel, workspace.id))) await this.#fill(place, plugin)
  }

  /** One that comes later joins the demonstration. What it cannot tell of itself keeps it from nothing. */
  async #fill(place: Switch, plugin: PluginDefinition): Promise<void> {
    try {
      await fillWithDemo(this.#kernel, place.workspace, plugin)
    } catch (error) {
      await this.#kernel.parts.incidents.note({ ...place, kind: 'toggle', error })
    }
  }

  /**
   * Asks whether it is well, gives the workspace its roles, then lets it prepare itself: one unit of work, and with it is kept
   * which version has done so. Whoever dies after it does not prepare the workspace twice.
   *
   * @param last - the version that has prepared it so far; where that is another by then, somebody else was faster
   */
  async #begin(
    workspace: Workspace,
    plugin: PluginDefinition,
    {
      last,
      isFirst = false,
      from,
    }: { readonly last: string | undefined; readonly isFirst?: boolean; readonly from?: string },
  ): Promise<Disposer | undefined> {
    const { health, onInstall, onUpgrade, onEnable } = plugin.lifecycle ?? {}
    let disposer: Disposer | undefined
    const unit = {
      workspace: workspace.id,
      plugin: plugin.id,
      cause: { origin: 'plugin' },
      own: true,
      limit: startLimit,
    }
    try {
      await this.#kernel.runUnit(unit, async (ctx) => {
        await health?.(ctx)
        await offerRoles(ctx, plugin.roleTemplates ?? [])
        if (isFirst) await onInstall?.(ctx)
        if (from !== undefined) await onUpgrade?.(ctx, from)
        disposer = (await onEnable?.(ctx)) ?? undefined
        await keepVersion(ctx.sql, plugin, last)
      })
      return disposer
    } catch (error) {
      await disposer?.()
      if (error instanceof SocleError && error.code === operationLost.code) throw error
      await this.#kernel.parts.incidents.note({ workspace: workspace.id, plugin: plugin.id, kind: 'toggle', error })
      if (error instanceof SocleError && error.status < 500) throw error
      throw pluginNotStarted({ plugin: plugin.id, reason: detailOf(error) })
    }
  }

  /**
   * Lets the version that runs here begin where another was on: as if it were switched on anew, without having been off. One
   * that cannot is stopped there.
   *
   * @throws `PLUGIN_BUSY`, `OPERATION_LOST`
   */
  async renew(place: Switch): Promise<void> {
    const { loaded, scopes } = this.#kernel.parts
    const { workspace: id, plugin: name } = place
    const workspace = await this.#kernel.workspace(id)
    if (!workspace) return
    await this.#operations.run({ operation: 'upgrade', plugins: [name], workspace: id }, async () => {
      // Asked again: another process may have done it meanwhile, or somebody switched it off.
      const [plugin, from] = [loaded.get(name), await this.#begunBefore(place, 'enabled')]
      if (!plugin || from === undefined || !isNewer(plugin.version, from)) return
      let disposer: Disposer | undefined
      try {
        disposer = await this.#begin(workspace, plugin, { last: from, from })
      } catch (error) {
        // Says nothing of the plugin: another process is at it, or has done it.
        if (error instanceof SocleError && error.code === operationLost.code) throw error
        await this.quarantine(
          place,
          error instanceof SocleError ? error : pluginNotStarted({ plugin: name, reason: detailOf(error) }),
        )
        return
      }
      if (disposer) scopes.keep(place, disposer)
    })
  }

  /** The version that has prepared a workspace; with a state, only where it stands so. */
  async #begunBefore({ workspace, plugin }: Switch, state?: PluginState): Promise<string | undefined> {
    const { rows } = await sql<{ version: string | null }>`
      select version from core.plugin_workspace where workspace = ${workspace}::uuid and plugin = ${plugin}
        and state = coalesce(${state ?? null}, state)`.execute(this.#kernel.parts.database.owner)
    return rows[0]?.version ?? undefined
  }

  /**
   * Nobody reaches the plugin from the first moment; requests that run end, then it takes back what it began.
   *
   * @param cascade - switches off the dependents first
   * @throws `PLUGIN_UNKNOWN`, `PLUGIN_HAS_DEPENDENTS`, `PLUGIN_BUSY`
   */
  async disable(workspace: Workspace, id: string, by: string | undefined, cascade: boolean): Promise<void> {
    const { database, enablement, loaded } = this.#kernel.parts
    const standings = await enablement.standingsIn(workspace.id)
    const state = standings.get(id)?.state
    if (state === undefined && !loaded.get(id)) throw pluginUnknown({ plugin: id })
    if (state === undefined || state === 'disabled') return
    const dependents = (await installedDependents(database.owner, id, workspace.id)).map((it) => it.id)
    if (dependents.length > 0 && !cascade) throw hasDependents(id, dependents)
    const all = [...dependents, id]
    await this.#operations.run({ operation: 'disable', plugins: all, workspace: workspace.id, by }, async (held) => {
      for (const off of all) await this.#disable({ workspace, by }, off, held)
    })
  }

  /**
   * Switches a plugin off in every workspace, for whoever is removing it and holds it already.
   *
   * @param by - who asks, in their own workspace; in others it is the platform
   */
  async disableEverywhere(
    { workspace: home, by }: { readonly workspace: string; readonly by: string | undefined },
    id: string,
    held: Held,
  ): Promise<void> {
    const { rows } = await sql<{ workspace: string }>`
      select workspace from core.plugin_workspace where plugin = ${id} and state <> 'disabled' order by workspace`.execute(
      this.#kernel.parts.database.owner,
    )
    for (const row of rows) {
      const workspace = await this.#kernel.workspace(row.workspace)
      if (workspace) await this.#disable({ workspace, by: row.workspace === home ? by : undefined }, id, held)
    }
  }

  async #disable({ workspace, by }: By, id: string, held: Held): Promise<void> {
    const { enablement, scopes, clock, loaded, incidents, unitSeconds } = this.#kernel.parts
    const place = { workspace: workspace.id, plugin: id }
    const move = { ...place, by, at: clock.now() }
    const also = async (tx: Sql) => {
      await held.keep(tx)
      // One that was switched on since the dependents were counted.
      const late = (await installedDependents(tx, id, workspace.id)).map((it) => it.id)
      if (late.length > 0) throw hasDependents(id, late)
      await holdDeliveries(tx, place)
      await this.#tell(tx, workspace, PluginDisabled, { plugin: id, by: by ?? null })
    }
    const from = (state: PluginState | undefined) => state !== undefined && state !== 'disabled'
    if (!(await enablement.move({ ...move, state: 'disabling' }, { from, also }))) return
    await scopes.leave(place)
    const plugin = loaded.get(id)
    const { onDisable } = plugin?.lifecycle ?? {}
    try {
      const limit = { seconds: unitSeconds, late: pluginStopTimedOut }
      const unit = { workspace: workspace.id, plugin: id, cause: { origin: 'plugin' }, own: true, limit }
      if (onDisable) await this.#kernel.runUnit(unit, onDisable)
    } catch (error) {
      // It is off all the same; what it left is on its card.
      await incidents.note({ ...place, kind: 'toggle', error })
    }
    await enablement.move({ ...move, state: 'disabled' })
  }

  /** Stops a plugin after faults of its own. Nothing of its code is asked but to take back what it began. */
  async quarantine({ workspace: id, plugin }: Switch, why: SocleError): Promise<void> {
    const { enablement, scopes, clock } = this.#kernel.parts
    const workspace = await this.#kernel.workspace(id)
    if (!workspace) return
    const reason = reasonText(why)
    const move = { workspace: id, plugin, state: 'quarantined', at: clock.now(), reason } as const
    await enablement.move(move, {
      from: (state) => state === 'enabled',
      also: async (tx) => {
        await holdDeliveries(tx, { workspace: id, plugin })
        await this.#tell(tx, workspace, PluginQuarantined, { plugin, reason: why.message })
      },
    })
    await scopes.leave({ workspace: id, plugin })
  }

  async #tell<P extends z.ZodType>(
    tx: Sql,
    workspace: Workspace,
    event: EventDefinition<P>,
    payload: z.input<P> & { plugin: string },
  ): Promise<void> {
    const { events, clock } = this.#kernel.parts
    const emissions = [events.emission('core', event, payload, recordOfPlugin(payload.plugin))]
    await flushEmissions(tx, { workspace: workspace.id, emissions, at: clock.now().toISOString() })
  }
}

/**
 * Keeps which version has prepared the workspace of a unit, in that unit.
 *
 * @throws `OPERATION_LOST` where another process has done it meanwhile
 */
async function keepVersion(tx: Sql, { id, version }: PluginDefinition, last: string | undefined): Promise<void> {
  const { rows } = await sql<{ kept: boolean }>`
    select core.keep_prepared(${id}, ${last ?? null}, ${version}) as kept`.execute(tx)
  if (!rows[0]?.kept) throw operationLost({ plugin: id })
}

function enabledOf(standings: ReadonlyMap<string, Standing>): ReadonlySet<string> {
  return new Set(['core', ...[...standings].filter(([, { state }]) => state === 'enabled').map(([id]) => id)])
}

function hasDependents(plugin: string, dependents: readonly string[]): SocleError {
  return pluginHasDependents({ plugin, dependents: dependents.join(', ') }, { dependents })
}
