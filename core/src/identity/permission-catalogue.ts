import type { Context } from '../context.ts'
import type { PluginDefinition } from '../plugins/define-plugin.ts'
import type { Resource } from '../records/registry.ts'

/** What identity must know of the loaded plugins; a function each, because they are loaded after the core is declared. */
export interface PermissionSource {
  readonly plugins: () => readonly PluginDefinition[]
  readonly catalog: () => { get(id: string): Resource | undefined; all(): readonly Resource[] }
  /** Ids of the plugins that are on in a workspace, the core among them. */
  readonly enabled: (workspace: string) => ReadonlySet<string>
}

// What may be done with any record, in the order a role editor shows it.
const actions = ['read', 'create', 'update', 'delete', 'restore', 'import', 'export']

/** What a role editor offers, of the plugins that are on here, in the actor's language. */
export function describePermissions(ctx: Context, { plugins, catalog, enabled }: PermissionSource) {
  const on = enabled(ctx.workspace.id)
  const present = plugins().filter(({ id }) => on.has(id))
  const titles = new Map(present.map(({ id, title }) => [id, title[ctx.locale]]))
  return {
    resources: catalog()
      .all()
      .filter(({ plugin }) => titles.has(plugin))
      .map(({ id, plugin, all, options }) => ({
        id,
        plugin,
        pluginTitle: titles.get(plugin)!,
        name: ctx.t(`${id}.many`),
        actions: options.readonly ? ['read', 'export'] : actions,
        fields: all.filter(({ name }) => name !== 'id').map(({ name }) => ({ name, label: ctx.t(`${id}.${name}`) })),
      })),
    permissions: present.flatMap(({ id: plugin, permissions = [] }) =>
      permissions.map(({ id, title }) => ({ id, plugin, pluginTitle: titles.get(plugin)!, title: title[ctx.locale] })),
    ),
  }
}
