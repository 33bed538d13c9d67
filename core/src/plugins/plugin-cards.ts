import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { Parts } from '../parts.ts'
import type { PluginDefinition } from './define-plugin.ts'
import { dependentsOf } from './dependents.ts'
import { shown, type PluginState } from './enablement.ts'
import { addedBy, unoffered } from './offers.ts'
import type { About } from './removal/archive-file.ts'
import { sayReason } from './reasons.ts'

/** One plugin as the tables tell of it, whether its code is loaded or not. */
interface StandingRow {
  readonly id: string
  readonly version: string
  readonly installed: string
  readonly removal: { readonly job: string | null; readonly mode: string } | null
  readonly about: About | null
  readonly why_not: string | null
  readonly state: PluginState | null
  readonly reason: string | null
  readonly since: string | null
  readonly by_user: string | null
  readonly by_name: string | null
  readonly incidents: number
  readonly detail: string | null
  readonly stack: string | null
  readonly last_at: string | null
}

/**
 * The modules as the administrator chooses among them: what each brings, in the user's words, and how it stands here. Also
 * those whose code does not run: they say why.
 */
export async function pluginCards(parts: Parts, ctx: Context, on: ReadonlySet<string>) {
  const { plugins, loaded, safeMode } = parts
  const { rows } = await sql<StandingRow>`
    select c.id, c.version, c.state as installed, c.reason as why_not, c.about,
      case when c.removal is not null then jsonb_build_object('job', c.removal ->> 'job', 'mode', c.removal ->> 'mode') end as removal, p.state, p.reason, p.since, p.by_user, m.name as by_name,
      i.incidents, i.detail, i.stack, i.last_at
    from core.plugin c
    left join core.plugin_workspace p on p.workspace = ${ctx.workspace.id}::uuid and p.plugin = c.id
    left join core.member m on m.workspace = p.workspace and m.id = p.by_user
    cross join lateral (
      select coalesce(sum(count), 0)::integer as incidents, (array_agg(detail order by last_at desc))[1] as detail,
        (array_agg(stack order by last_at desc))[1] as stack, max(last_at) as last_at
      from core.plugin_incident where plugin = c.id and (workspace is null or workspace = ${ctx.workspace.id}::uuid)) i
    where c.id <> 'core'`.execute(ctx.sql)
  const place = new Map(plugins.map(({ id }, at) => [id, at]))
  const words = parts.words.in(ctx.workspace)
  return rows
    .toSorted((a, b) => (place.get(a.id) ?? place.size) - (place.get(b.id) ?? place.size) || (a.id < b.id ? -1 : 1))
    .map((row) => {
      const { id, since, state, about } = row
      const plugin = loaded.get(id)
      const broken = !plugin && !safeMode && row.installed === 'quarantined'
      const why = broken ? row.why_not : state === 'quarantined' ? row.reason : null
      return {
        id,
        title: (plugin ?? about)?.title[ctx.locale] ?? id,
        description: (plugin ?? about)?.summary?.[ctx.locale] ?? '',
        icon: (plugin ?? about)?.icon ?? 'puzzle',
        version: plugin?.version ?? row.version,
        state: goneState(row) ?? (broken ? 'quarantined' : on.has(id) ? 'enabled' : asleep(state)),
        // Whoever opens this screen meanwhile sees how far it is.
        ...(row.removal?.job ? { removal: row.removal } : {}),
        // Its code does not run in this process, so there is nothing to switch on.
        loaded: plugin !== undefined,
        // What is stopped may stand as on here, and can be switched off all the same.
        off: shown(state ?? 'disabled') === 'disabled',
        ...(why === null ? {} : { reason: sayReason(words, ctx.locale, why) }),
        ...(since === null ? {} : { since }),
        ...(row.by_user === null ? {} : { by: { id: row.by_user, name: row.by_name ?? '' } }),
        ...(row.detail === null
          ? {}
          : {
              incident: {
                message: row.detail,
                ...firstFrame(row.stack),
                at: row.last_at,
                count: row.incidents,
              },
            }),
        ...(plugin ? described(parts, ctx, on, plugin) : {}),
      }
    })
}

/** Of what is not installed any more, or not for long. */
function goneState({ installed }: StandingRow): 'available' | 'removing' | undefined {
  return installed === 'removed' ? 'available' : installed === 'removing' ? 'removing' : undefined
}

/** On by the table, and not loaded: in safe mode, or where this process could not load it. */
function asleep(state: PluginState | null): 'disabled' | 'quarantined' | 'asleep' {
  const seen = shown(state ?? 'disabled')
  return seen === 'enabled' ? 'asleep' : seen
}

function firstFrame(stack: string | null): { stackLine?: string } {
  const line = stack?.split('\n').find((it) => it.startsWith('    at '))
  return line === undefined ? {} : { stackLine: line.trim() }
}

function described({ plugins, catalog }: Parts, ctx: Context, on: ReadonlySet<string>, plugin: PluginDefinition) {
  const { id, ui, requires = {}, jobs = [], permissions = [], roleTemplates = [] } = plugin
  const own = catalog.all().filter((resource) => resource.plugin === id)
  const titleOf = (peer: string) => plugins.find((it) => it.id === peer)?.title[ctx.locale] ?? peer
  return {
    requires: Object.entries(requires).map(([peer, range]) => ({ id: peer, title: titleOf(peer), range })),
    settings: plugin.settings !== undefined,
    // What is off waits for all.
    waitsFor: on.has(id)
      ? unoffered(
          addedBy(plugin),
          plugins.filter((it) => on.has(it.id)),
        )
      : [],
    requiredBy: dependentsOf(plugins, on, id).map((it) => ({ id: it.id, title: it.title[ctx.locale] })),
    brings: {
      screens: (ui?.screens ?? []).map((screen) => screen.title[ctx.locale]),
      resources: own.filter(({ options }) => options.nav !== false).map((resource) => ctx.t(`${resource.id}.many`)),
      jobs: jobs.length,
      permissions: permissions.length + own.length,
      roles: roleTemplates.map((role) => role.title[ctx.locale]),
    },
  }
}
