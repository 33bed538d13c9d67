import { sql } from 'kysely'
import type { Actor, Locale, Workspace } from './actor.ts'
import type { Cause, Context } from './context.ts'
import { workspaceJson } from './identity/sessions.ts'
import type { RunUnit, Starter } from './events/run-unit.ts'
import type { Parts, UnitSpec } from './parts.ts'
import type { Authority } from './permissions/authority.ts'
import { systemAuthority } from './permissions/system-authority.ts'
import { wallSide } from './permissions/wall-side.ts'
import type { PluginDefinition } from './plugins/define-plugin.ts'
import { running } from './plugins/running.ts'
import { refusalFor } from './plugins/absence.ts'
import { Bulkhead } from './plugins/bulkhead.ts'
import { keyGone, memberGone, pluginDisabled, pluginTimedOut, pluginUnknown } from './plugins/errors.ts'
import { limitUnit, unitAbandoned, type UnitLimit } from './unit-end.ts'
import { UnitOfWork } from './unit-of-work.ts'

const workspaceKeptFor = 5_000
/** Connections that no single plugin takes. */
const kept = 2

/** Opens units of work: every request, delivery and job is one. */
export class Kernel {
  readonly parts: Parts
  /** What ends each of the units that are open. */
  readonly #open = new Set<AbortController>()
  /** Places of each plugin among the connections. */
  readonly #bulkheads = new Map<string, Bulkhead>()
  readonly #workspaces = new Map<string, { workspace: Workspace; until: number }>()

  constructor(parts: Parts) {
    this.parts = parts
    parts.signals.on((signal) => {
      if (signal.kind === 'records' && signal.changes.some(({ resource }) => resource === 'core.workspace'))
        this.#workspaces.clear()
    })
  }

  plugin(id: string): PluginDefinition {
    const plugin = this.parts.loaded.get(id)
    if (!plugin) throw pluginUnknown({ plugin: id })
    return plugin
  }

  /**
   * One transaction with all it carries: commits when `work` resolves, leaves no trace when it throws. It also ends, without a
   * trace, as soon as `spec.signal` is aborted, its plugin is switched off or takes longer than its limit: code cannot be
   * stopped from outside, but it holds no connection any more and nothing it does from then on counts.
   *
   * @throws `PLUGIN_DISABLED`, `PLUGIN_QUARANTINED` where its plugin is off by the time it would begin
   * @throws `PLUGIN_TIMED_OUT`, `PLUGIN_FAILED` where its plugin, or one it relies on, does not come to an end
   */
  async unit<T>(spec: UnitSpec, work: (ctx: Context) => Promise<T>): Promise<T> {
    const { plugin, signal } = spec
    const place = { workspace: spec.workspace.id, plugin }
    const ended = new AbortController()
    const follow = () => ended.abort(signal?.reason instanceof Error ? signal.reason : unitAbandoned({}))
    if (signal?.aborted) follow()
    signal?.addEventListener('abort', follow)
    this.#open.add(ended)
    const unit = { ...place, guests: [] }
    try {
      return await running.run(unit, () => {
        const bound = { ...spec, signal: ended.signal }
        const limited = async (ctx: Context) => {
          const unlimit = limitUnit(spec.limit ?? this.#limit, unit, ended)
          try {
            return await work(ctx)
          } finally {
            unlimit()
          }
        }
        if (plugin === 'core' || spec.own) return this.#unit(bound, limited)
        return this.parts.scopes.run(place, ended, async () => {
          const leave = await this.#bulkhead(plugin).enter(ended.signal)
          try {
            return await this.#unit(bound, limited)
          } finally {
            leave()
          }
        })
      })
    } finally {
      this.#open.delete(ended)
      signal?.removeEventListener('abort', follow)
    }
  }

  /** Ends every unit that is open: the process ends. */
  interrupt(): void {
    for (const ended of this.#open) ended.abort(unitAbandoned({}))
  }

  /** However many calls of one plugin do not end, some connections are left: for the others, and for whoever switches it off. */
  #bulkhead(plugin: string): Bulkhead {
    const made = this.#bulkheads.get(plugin) ?? new Bulkhead(Math.max(1, this.parts.database.connections - kept))
    this.#bulkheads.set(plugin, made)
    return made
  }

  get #limit(): UnitLimit {
    return { seconds: this.parts.unitSeconds, late: pluginTimedOut }
  }

  async #unit<T>(spec: UnitSpec & { readonly signal: AbortSignal }, work: (ctx: Context) => Promise<T>): Promise<T> {
    const { database, enablement, fields, clock, loaded } = this.parts
    const set = spec.set ?? loaded.set
    const standing = await enablement.in(spec.workspace.id)
    // Whoever came through the gate may have sent their body slowly: the plugin may be off since.
    if (!spec.own && !standing.has(spec.plugin))
      throw (await refusalFor(this.parts, spec.workspace.id, spec.plugin)) ?? pluginDisabled({ plugin: spec.plugin })
    const on = spec.own ? new Set([...standing, spec.plugin]) : standing
    const resources = await fields.in(spec.workspace, on, set.catalog)
    let unit: UnitOfWork | undefined
    const result = await database.transaction(
      {
        workspace: spec.workspace.id,
        partner: wallSide(spec.authority, clock),
        ...(spec.actor.type === 'user' && spec.actor.id !== undefined ? { actor: spec.actor.id } : {}),
        ...(spec.readonly ? { readonly: true } : {}),
      },
      async (tx) => {
        unit = new UnitOfWork(this.parts, tx, spec, { set, on, resources })
        const answer = await work(unit.context)
        // Whoever waited for it was told that it is over: nothing of it is kept.
        if (!spec.readonly) spec.signal.throwIfAborted()
        await unit.finish()
        return answer
      },
      spec.signal,
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
  readonly runUnit: RunUnit = async ({ workspace: id, actor: starter, ...spec }, work) => {
    const workspace = await this.workspace(id)
    if (!workspace) throw new Error(`Workspace ${id} is gone.`)
    const who = starter ? await this.#starter(workspace, starter) : this.#itself(workspace, spec.plugin)
    return this.unit({ workspace, ...who, ...spec }, work)
  }

  #itself(workspace: Workspace, plugin: string): { actor: Actor; authority: Authority } {
    const actor: Actor = {
      type: plugin === 'core' ? 'system' : 'plugin',
      name: this.plugin(plugin).title[workspace.locale],
      locale: workspace.locale,
    }
    return { actor, authority: systemAuthority }
  }

  /** Work that somebody started ends with their rights: it never goes on with the platform's own. */
  async #starter(workspace: Workspace, { type, id }: Starter): Promise<{ actor: Actor; authority: Authority }> {
    const { authorities } = this.parts
    if (type === 'user') {
      const actor = await this.#member(workspace, id)
      if (!actor) throw memberGone({ user: id, workspace: workspace.name })
      return { actor, authority: await authorities.of(workspace, { user: id }) }
    }
    const key = await this.#key(workspace, id)
    if (!key) throw keyGone({ key: id, workspace: workspace.name })
    const actor: Actor = { type, id, name: key.name, locale: workspace.locale }
    return { actor, authority: await authorities.of(workspace, { role: key.role }) }
  }

  async workspace(id: string): Promise<Workspace | undefined> {
    const kept = this.#workspaces.get(id)
    if (kept && performance.now() < kept.until) return kept.workspace
    const { rows } = await this.parts.database.transaction({ workspace: id, partner: '*' }, (tx) =>
      sql<{ workspace: Workspace }>`
        select ${workspaceJson('w')} as workspace from core.workspace w where w.id = ${id}::uuid`.execute(tx),
    )
    const workspace = rows[0]?.workspace
    if (workspace) this.#workspaces.set(id, { workspace, until: performance.now() + workspaceKeptFor })
    return workspace
  }

  /** The workspace of a public address. */
  async workspaceBySlug(slug: string): Promise<Workspace | undefined> {
    const { rows } = await sql<{ id: string }>`select id from core.workspace where slug = ${slug}`.execute(
      this.parts.database.owner,
    )
    const [found] = rows
    return found && this.workspace(found.id)
  }

  async #member(workspace: Workspace, user: string): Promise<Actor | undefined> {
    const { rows } = await this.parts.database.transaction({ workspace: workspace.id, partner: '*' }, (tx) =>
      sql<{ name: string; locale: Locale }>`
        select name, locale from core.member
        where workspace = ${workspace.id}::uuid and id = ${user}::uuid and state = 'active' and deleted_at is null`.execute(
        tx,
      ),
    )
    const [member] = rows
    return member ? { type: 'user', id: user, name: member.name, locale: member.locale } : undefined
  }

  async #key(workspace: Workspace, id: string): Promise<{ name: string; role: string } | undefined> {
    const { rows } = await this.parts.database.transaction({ workspace: workspace.id, partner: '*' }, (tx) =>
      sql<{ name: string; role: string }>`
        select name, role_id as role from core.api_key
        where workspace = ${workspace.id}::uuid and id = ${id}::uuid
          and not exists (select from core.key_chain(${id}::uuid) c where c.deleted_at is not null or c.revoked_at is not null
            or c.expires_at <= ${this.parts.clock.now().toISOString()}::timestamptz)`.execute(tx),
    )
    return rows[0]
  }
}

export function systemActor(locale: Locale): Actor {
  return { type: 'system', name: 'Socle', locale }
}
