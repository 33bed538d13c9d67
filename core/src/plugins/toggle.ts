import { sql } from 'kysely'
import type { Kernel } from '../kernel.ts'
import type { Workspace } from '../actor.ts'
import type { Context } from '../context.ts'
import type { PluginDefinition, RoleTemplate } from './define-plugin.ts'
import { pluginHasDependents, pluginRequirementMissing } from './errors.ts'
import { holdDeliveries, releaseDeliveries } from '../events/holds.ts'

/** What switching a plugin off takes away, counted before it happens. */
export interface Breakage {
  readonly plugin: string
  readonly screens: readonly { readonly title: string; readonly path: string }[]
  readonly records: readonly { readonly resource: string; readonly name: string; readonly count: number }[]
  readonly jobs: readonly { readonly id: string; readonly title: string }[]
  readonly fills: readonly { readonly slot: string; readonly title: string }[]
  readonly roles: readonly { readonly id: string; readonly name: string }[]
  readonly subscriptions: readonly { readonly id: string; readonly event: string }[]
  readonly heldEvents: number
  readonly dependents: readonly { readonly id: string; readonly title: string }[]
}

/** Enabled plugins that require this one, also by way of others; the furthest first, as they are switched off. */
export function dependentsOf(
  plugins: readonly PluginDefinition[],
  on: ReadonlySet<string>,
  id: string,
): PluginDefinition[] {
  const found: PluginDefinition[] = []
  // Plugins come in the order of their requirements, so whoever stands between is found before who needs it.
  for (const plugin of plugins) {
    const needs = Object.keys(plugin.requires ?? {})
    if (on.has(plugin.id) && needs.some((it) => it === id || found.some((dependent) => dependent.id === it)))
      found.push(plugin)
  }
  return found.toReversed()
}

/** Roles a plugin brings, made once: what an administrator changed or deleted since stays so. */
export async function offerRoles(ctx: Context, templates: readonly RoleTemplate[]): Promise<void> {
  for (const { id, title, grants, fields = [] } of templates) {
    const { rows } =
      await sql`select 1 from core.role where workspace = ${ctx.workspace.id}::uuid and template = ${id}`.execute(
        ctx.sql,
      )
    if (rows.length > 0) continue
    await ctx.records.create(
      'core.role',
      { name: await freeRoleName(ctx, title[ctx.workspace.locale]), template: id, grants, fields },
      { internal: true },
    )
  }
}

/** A role the workspace made itself may have the name already: it keeps it, and the plugin's gets a number. */
async function freeRoleName(ctx: Context, wanted: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select lower(name) as name from core.role where workspace = ${ctx.workspace.id}::uuid and deleted_at is null`.execute(
    ctx.sql,
  )
  const taken = new Set(rows.map(({ name }) => name))
  let name = wanted
  for (let number = 2; taken.has(name.toLowerCase()); number += 1) name = `${wanted} ${number}`
  return name
}

/** Switches plugins on and off in a workspace: at once, in every process, without a restart. */
export class Toggle {
  readonly #kernel: Kernel

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** @throws `PLUGIN_UNKNOWN`, `PLUGIN_REQUIREMENT_MISSING` */
  async enable(workspace: Workspace, id: string, by: string | undefined): Promise<void> {
    const { enablement, plugins, clock, signals } = this.#kernel.parts
    const plugin = this.#kernel.plugin(id)
    const on = await enablement.in(workspace.id)
    if (on.has(id)) return
    for (const [required, range] of Object.entries(plugin.requires ?? {})) {
      const peer = plugins.find((it) => it.id === required)
      if (!on.has(required))
        throw pluginRequirementMissing({
          plugin: id,
          requires: required,
          range,
          found: peer ? 'it switched off' : 'none',
        })
    }
    await enablement.set(workspace.id, id, 'enabled', by, clock.now())
    try {
      await this.#begin(workspace, plugin)
    } catch (error) {
      // Half enabled is not a state: the plugin that could not start is off again.
      await enablement.set(workspace.id, id, 'disabled', by, clock.now())
      throw error
    }
    await enablement.set(workspace.id, id, 'enabled', by, clock.now(), (tx) =>
      releaseDeliveries(tx, { workspace: workspace.id, plugin: id }),
    )
    signals.send({ kind: 'deliveries' })
  }

  /** Gives the workspace the plugin's roles, then lets the plugin prepare itself. */
  async #begin(workspace: Workspace, plugin: PluginDefinition): Promise<void> {
    const { onEnable } = plugin.lifecycle ?? {}
    await this.#kernel.runUnit(
      { workspace: workspace.id, plugin: plugin.id, cause: { origin: 'plugin' } },
      async (ctx) => {
        await offerRoles(ctx, plugin.roleTemplates ?? [])
        await onEnable?.(ctx)
      },
    )
  }

  /**
   * @param cascade - switches off the dependents first
   * @throws `PLUGIN_UNKNOWN`, `PLUGIN_HAS_DEPENDENTS`
   */
  async disable(workspace: Workspace, id: string, by: string | undefined, cascade: boolean): Promise<void> {
    const { enablement, plugins, clock } = this.#kernel.parts
    this.#kernel.plugin(id)
    const on = await enablement.in(workspace.id)
    if (!on.has(id)) return
    const dependents = dependentsOf(plugins, on, id)
    if (dependents.length > 0 && !cascade) {
      throw pluginHasDependents(
        { plugin: id, dependents: dependents.map((it) => it.id).join(', ') },
        { dependents: dependents.map((it) => it.id) },
      )
    }
    for (const plugin of [...dependents, this.#kernel.plugin(id)]) {
      const { id: off } = plugin
      await enablement.set(workspace.id, off, 'disabled', by, clock.now(), (tx) =>
        holdDeliveries(tx, { workspace: workspace.id, plugin: off }),
      )
      const { onDisable } = plugin.lifecycle ?? {}
      if (onDisable)
        await this.#kernel.runUnit({ workspace: workspace.id, plugin: off, cause: { origin: 'plugin' } }, onDisable)
    }
  }

  async whatBreaks(ctx: Context, id: string): Promise<Breakage> {
    const { enablement, plugins, catalog } = this.#kernel.parts
    const plugin = this.#kernel.plugin(id)
    const on = await enablement.in(ctx.workspace.id)
    const { locale } = ctx
    const records: { resource: string; name: string; count: number }[] = []
    for (const resource of catalog.all().filter((it) => it.plugin === id)) {
      const { rows } = await sql<{ n: number }>`
        select count(*) as n from ${sql.table(`${resource.schema}.${resource.table}`)} where workspace = ${ctx.workspace.id}::uuid and deleted_at is null`.execute(
        ctx.sql,
      )
      records.push({ resource: resource.id, name: ctx.t(`${resource.id}.many`), count: rows[0]?.n ?? 0 })
    }
    const roles = await sql<{ id: string; name: string }>`
      select id, name from core.role where workspace = ${ctx.workspace.id}::uuid and deleted_at is null
        and exists (select 1 from jsonb_array_elements(grants) as g where g ->> 'resource' like ${`${id}.%`})
      order by name`.execute(ctx.sql)
    const waiting = await sql<{ n: number }>`
      select count(*) as n from core.delivery d join core.subscription s on s.id = d.subscription
      where d.workspace = ${ctx.workspace.id}::uuid and s.plugin = ${id}`.execute(ctx.sql)
    const resourceScreens = catalog
      .all()
      .filter((it) => it.plugin === id && it.options.nav !== false)
      .map(({ id: resource, path }) => ({ title: ctx.t(`${resource}.many`), path: `/${id}/${path}` }))
    const own = (plugin.ui?.screens ?? []).map(({ title, path }) => ({ title: title[locale], path }))
    return {
      plugin: id,
      screens: [...resourceScreens.filter(({ path }) => !own.some((it) => it.path === path)), ...own],
      records,
      jobs: (plugin.jobs ?? []).map((job) => ({ id: job.id, title: job.id })),
      fills: (plugin.ui?.fills ?? []).map(({ slot, title, id: fill }) => ({
        slot: typeof slot === 'string' ? slot : slot.id,
        title: title?.[locale] ?? fill,
      })),
      roles: roles.rows,
      subscriptions: (plugin.subscribers ?? []).map(({ id: subscriber, event }) => ({ id: subscriber, event })),
      heldEvents: waiting.rows[0]?.n ?? 0,
      dependents: dependentsOf(plugins, on, id).map((it) => ({ id: it.id, title: it.title[locale] })),
    }
  }
}
