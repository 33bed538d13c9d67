import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { Parts } from '../parts.ts'
import { dependentsOf } from './toggle.ts'

interface StateRow {
  readonly plugin: string
  readonly since: string
  readonly by_user: string | null
  readonly by_name: string | null
}

/** The modules as the administrator chooses among them: what each brings, in the user's words, and how it stands here. */
export async function pluginCards({ plugins, catalog }: Parts, ctx: Context, on: ReadonlySet<string>) {
  const { rows } = await sql<StateRow>`
    select p.plugin, p.since, p.by_user, m.name as by_name
    from core.plugin_workspace p left join core.member m on m.workspace = p.workspace and m.id = p.by_user
    where p.workspace = ${ctx.workspace.id}::uuid`.execute(ctx.sql)
  const states = new Map(rows.map((row) => [row.plugin, row]))
  const titleOf = (id: string) => plugins.find((it) => it.id === id)?.title[ctx.locale] ?? id
  return plugins
    .filter(({ id }) => id !== 'core')
    .map((plugin) => {
      const { id, title, summary, icon, version } = plugin
      const state = states.get(id)
      const own = catalog.all().filter((resource) => resource.plugin === id)
      return {
        id,
        title: title[ctx.locale],
        description: summary?.[ctx.locale] ?? '',
        icon: icon ?? 'puzzle',
        version,
        state: on.has(id) ? 'enabled' : 'disabled',
        ...(state ? { since: state.since } : {}),
        ...(state?.by_user ? { by: { id: state.by_user, name: state.by_name ?? '' } } : {}),
        requires: Object.entries(plugin.requires ?? {}).map(([peer, range]) => ({
          id: peer,
          title: titleOf(peer),
          range,
        })),
        requiredBy: dependentsOf(plugins, on, id).map((it) => ({ id: it.id, title: it.title[ctx.locale] })),
        settings: plugin.settings !== undefined,
        brings: {
          screens: (plugin.ui?.screens ?? []).map((screen) => screen.title[ctx.locale]),
          resources: own.filter(({ options }) => options.nav !== false).map((resource) => ctx.t(`${resource.id}.many`)),
          jobs: (plugin.jobs ?? []).length,
          permissions: (plugin.permissions ?? []).length + own.length,
          roles: (plugin.roleTemplates ?? []).map((role) => role.title[ctx.locale]),
        },
      }
    })
}
