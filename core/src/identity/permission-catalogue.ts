import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { PluginDefinition } from '../plugins/define-plugin.ts'
import { recordActions } from '../permissions/record-actions.ts'
import { isShareable } from '../permissions/sharing/shareable.ts'
import type { Resource } from '../records/registry.ts'

/** What identity must know of the loaded plugins to offer their permissions. */
export interface PermissionCatalogue {
  readonly plugins: readonly PluginDefinition[]
  readonly catalog: { get(id: string): Resource | undefined; all(): readonly Resource[] }
}

/** Asked when a route runs, for a workspace: plugins are loaded after the core is declared. */
export type PermissionSource = (workspace: string) => PermissionCatalogue

/** What a role editor offers, of the plugins that are on here, in the actor's language. */
export async function describePermissions(ctx: Context, { plugins, catalog }: PermissionCatalogue) {
  const { rows } = await sql<{ plugin: string }>`
    select plugin from core.plugin_workspace where workspace = ${ctx.workspace.id}::uuid and state = 'enabled'`.execute(
    ctx.sql,
  )
  const on = new Set(['core', ...rows.map(({ plugin }) => plugin)])
  const present = plugins.filter(({ id }) => on.has(id))
  const titles = new Map(present.map(({ id, title }) => [id, title[ctx.locale]]))
  return {
    resources: catalog
      .all()
      .filter(({ plugin }) => titles.has(plugin))
      .map((resource) => ({ ...resource, isShared: isShareable(resource) }))
      .map(({ id, plugin, all, options, isShared }) => ({
        id,
        plugin,
        pluginTitle: titles.get(plugin)!,
        name: ctx.t(`${id}.many`),
        actions: options.readonly ? ['read', 'export'] : [...recordActions, ...(isShared ? ['share'] : [])],
        fields: all
          .filter(({ name }) => name !== 'id')
          .map(({ name, label }) => ({ name, label: label?.[ctx.locale] ?? ctx.t(`${id}.${name}`) })),
      })),
    permissions: present.flatMap(({ id: plugin, permissions = [] }) =>
      permissions.map(({ id, title }) => ({ id, plugin, pluginTitle: titles.get(plugin)!, title: title[ctx.locale] })),
    ),
  }
}
