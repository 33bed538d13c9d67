import { sql } from 'kysely'
import type { Actor, Locale, Workspace } from './actor.ts'
import type { Cause, Context } from './context.ts'
import type { RunUnit } from './events/run-unit.ts'
import type { Parts, UnitSpec } from './parts.ts'
import { systemAuthority } from './permissions/system-authority.ts'
import type { PluginDefinition } from './plugins/define-plugin.ts'
import { memberGone, pluginUnknown } from './plugins/errors.ts'
import { UnitOfWork } from './unit-of-work.ts'

const workspaceKeptFor = 5_000

/** Opens units of work: every request, delivery and job is one. */
export class Kernel {
  readonly parts: Parts
  readonly #workspaces = new Map<string, { workspace: Workspace; until: number }>()

  constructor(parts: Parts) {
    this.parts = parts
    parts.signals.on((signal) => {
      if (signal.kind === 'records' && signal.changes.some(({ resource }) => resource === 'core.workspace'))
        this.#workspaces.clear()
    })
  }

  plugin(id: string): PluginDefinition {
    const plugin = this.parts.plugins.find((it) => it.id === id)
    if (!plugin) throw pluginUnknown({ plugin: id })
    return plugin
  }

  /** One transaction with all it carries: commits when `work` resolves, leaves no trace when it throws. */
  async unit<T>(spec: UnitSpec, work: (ctx: Context) => Promise<T>): Promise<T> {
    const { database, enablement } = this.parts
    const on = await enablement.in(spec.workspace.id)
    let unit: UnitOfWork | undefined
    const result = await database.transaction(
      {
        workspace: spec.workspace.id,
        ...(spec.actor.type === 'user' && spec.actor.id !== undefined ? { actor: spec.actor.id } : {}),
        ...(spec.readonly ? { readonly: true } : {}),
      },
      async (tx) => {
        unit = new UnitOfWork(this.parts, tx, spec, on)
        const answer = await work(unit.context)
        await unit.finish()
        return answer
      },
    )
    unit?.committed()
    return result
  }

  /** A unit as the platform itself, with every right. */
  async asSystem<T>(workspace: Workspace, cause: Cause, work: (ctx: Context) => Promise<T>): Promise<T> {
    return this.unit(
      { workspace, actor: systemActor(workspace.locale), authority: systemAuthority, cause, plugin: 'core' },
      work,
    )
  }

  /** Units for deliveries and jobs; see `RunUnit`. */
  readonly runUnit: RunUnit = async ({ workspace: id, plugin, cause, actor: user, signal }, work) => {
    const workspace = await this.workspace(id)
    if (!workspace) throw new Error(`Workspace ${id} is gone.`)
    const member = user === undefined ? undefined : await this.#member(workspace, user)
    // Work that somebody started ends with their rights: it never goes on with the platform's own.
    if (user !== undefined && !member) throw memberGone({ user, workspace: workspace.name })
    const actor: Actor = member ?? {
      type: plugin === 'core' ? 'system' : 'plugin',
      name: this.plugin(plugin).title[workspace.locale],
      locale: workspace.locale,
    }
    const authority =
      member?.id === undefined ? systemAuthority : await this.parts.authorities.of(workspace, { user: member.id })
    return this.unit({ workspace, actor, authority, cause, plugin, ...(signal ? { signal } : {}) }, work)
  }

  async workspace(id: string): Promise<Workspace | undefined> {
    const kept = this.#workspaces.get(id)
    if (kept && performance.now() < kept.until) return kept.workspace
    const { rows } = await this.parts.database.transaction({ workspace: id }, (tx) =>
      sql<Workspace>`select id, slug, name, locale, zone, base_currency as "baseCurrency" from core.workspace where id = ${id}::uuid`.execute(
        tx,
      ),
    )
    const [workspace] = rows
    if (workspace) this.#workspaces.set(id, { workspace, until: performance.now() + workspaceKeptFor })
    return workspace
  }

  async #member(workspace: Workspace, user: string): Promise<Actor | undefined> {
    const { rows } = await this.parts.database.transaction({ workspace: workspace.id }, (tx) =>
      sql<{ name: string; locale: Locale }>`
        select name, locale from core.member
        where workspace = ${workspace.id}::uuid and id = ${user}::uuid and state = 'active' and deleted_at is null`.execute(
        tx,
      ),
    )
    const [member] = rows
    return member ? { type: 'user', id: user, name: member.name, locale: member.locale } : undefined
  }
}

export function systemActor(locale: Locale): Actor {
  return { type: 'system', name: 'Socle', locale }
}
