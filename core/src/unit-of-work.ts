import type { EntityManager } from '@mikro-orm/sql'
import { uuidv7 } from 'uuidv7'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Context } from './context.ts'
import type { Sql } from './database/database.ts'
import type { RecordSignal } from './database/signals.ts'
import { eventForeign } from './events/errors.ts'
import type { Emission, EventDefinition } from './events/event.ts'
import { flushEmissions, type Telling } from './events/outbox.ts'
import type { Parts, UnitSpec } from './parts.ts'
import { systemAuthority } from './permissions/system-authority.ts'
import type { Contribution, PluginDefinition } from './plugins/define-plugin.ts'
import { serviceAbsent, serviceEnded, settingsForeign, useUndeclared } from './plugins/errors.ts'
import { foreign, onBehalf, type Lending } from './plugins/foreign.ts'
import type { PluginSet } from './plugins/loaded-plugins.ts'
import { isAwake } from './plugins/peer-condition.ts'
import { ownerOf, type PointDefinition, type ServiceDefinition } from './plugins/tokens.ts'
import { RecordEngine } from './records/engine.ts'
import type { GuardDefinition } from './records/define-resource.ts'
import type { Resource, Resources } from './records/registry.ts'
import type { EngineScope } from './records/scope.ts'

interface Savepoint {
  savepoint(name: string): {
    execute(): Promise<{
      rollbackToSavepoint(name: string): { execute(): Promise<unknown> }
      releaseSavepoint(name: string): { execute(): Promise<unknown> }
    }>
  }
}

interface Ending {
  readonly isCommitted?: boolean
  readonly isRolledBack?: boolean
}

/** One transaction and what gathers around it until it commits: events, hints for other tabs, work for afterwards. */
export class UnitOfWork {
  readonly #parts: Parts
  readonly #tx: Sql
  readonly #spec: UnitSpec
  /** What was loaded when it began. */
  readonly #set: PluginSet
  /** Plugins that are on in the workspace. */
  readonly #on: ReadonlySet<string>
  readonly #resources: Resources
  readonly #services = new Map<string, { readonly made: unknown; readonly lending: Lending }>()
  /** Of other plugins that take part, by plugin and whether they act with every right. */
  readonly #contexts = new Map<string, Context>()
  readonly context: Context
  #emissions: Emission[] = []
  #changes: RecordSignal[] = []
  #afterCommit: (() => void)[] = []
  #changeSet: string | undefined
  #savepoints = 0
  readonly #found: Set<string>[] = []
  #deliveries = 0
  #em: EntityManager | undefined

  constructor(
    parts: Parts,
    tx: Sql,
    spec: UnitSpec,
    { set, on, resources }: { set: PluginSet; on: ReadonlySet<string>; resources: Resources },
  ) {
    this.#parts = parts
    this.#tx = tx
    this.#spec = spec
    this.#set = set
    this.#on = on
    this.#resources = resources
    this.context = this.#contextFor(spec)
  }

  /** Writes what the unit tells, as its last statement. */
  async finish(): Promise<void> {
    const { deliveries } = await flushEmissions(this.#tx, this.#telling(this.#emissions))
    this.#deliveries += deliveries
  }

  #telling(emissions: readonly Emission[]): Telling {
    return {
      workspace: this.#spec.workspace.id,
      emissions,
      at: this.#parts.clock.now().toISOString(),
      ...(this.#changeSet === undefined ? {} : { changeSet: this.#changeSet }),
    }
  }

  committed(): void {
    const { signals } = this.#parts
    if (this.#changes.length > 0)
      signals.send({ kind: 'records', workspace: this.#spec.workspace.id, changes: this.#changes })
    if (this.#deliveries > 0) signals.send({ kind: 'deliveries' })
    for (const run of this.#afterCommit) run()
  }

  #contextFor(spec: UnitSpec): Context {
    const parts = this.#parts
    const { actor, workspace, authority, cause, plugin } = spec
    const entityManager = () => this.#entityManager()
    const changeSet = () => this.#changeSet
    let log: Logger | undefined
    const context: Context = {
      actor,
      workspace,
      authority,
      partners: this.#spec.authority.partners,
      cause,
      locale: actor.locale,
      clock: { now: () => parts.clock.now(), today: () => parts.clock.today(workspace.zone) },
      // Made when they are asked for, which most units never do.
      get log() {
        const request = cause.request === undefined ? {} : { request: cause.request }
        return (log ??= parts.log.child({ plugin, workspace: workspace.id, ...request }))
      },
      get signal() {
        return spec.signal ?? neverAborted
      },
      get records() {
        return engine
      },
      get em() {
        return entityManager()
      },
      sql: this.#tx,
      emit: <P extends z.ZodType>(event: EventDefinition<P>, payload: z.input<P>, { key }: { key: string }) => {
        demandOwn(this.#set.plugins, plugin, event.name)
        this.#emissions.push(this.#set.events.emission(plugin, event, payload, key))
      },
      afterCommit: (run) => {
        this.#afterCommit.push(run)
      },
      use: (service) => this.#use(service, spec) ?? refuseService(service),
      tryUse: (service) => this.#use(service, spec),
      settings: async (definition) => {
        if (definition.plugin !== plugin) throw settingsForeign({ plugin, owner: definition.plugin })
        return parts.settings.of(context, definition)
      },
      isAwake: (when) => isAwake(when, this.#on, this.#set.plugins),
      contributions: (point) => this.#contributions(point, plugin),
      dormant: ({ id: point }) =>
        this.#set.plugins
          .filter(({ id, contributes = [] }) => !this.#on.has(id) && contributes.some((it) => it.point.id === point))
          .map(({ id }) => id),
      t: (key, values) => parts.words.in(workspace).say(actor.locale, key, values),
      asSystem: () =>
        authority === systemAuthority ? context : this.#contextFor({ ...spec, authority: systemAuthority }),
      get changeSet() {
        return changeSet()
      },
    }
    const engine = new RecordEngine(this.#scopeFor(context, spec))
    return context
  }

  #scopeFor(ctx: Context, spec: UnitSpec): EngineScope {
    const { plugins } = this.#set
    const found = new Set<string>()
    this.#found.push(found)
    return {
      ctx,
      catalog: this.#resources,
      tx: this.#tx,
      found,
      exists: (resource) => this.#on.has(resource.plugin),
      isOn: (plugin) => this.#on.has(plugin),
      moduleTitle: (plugin) => plugins.find(({ id }) => id === plugin)?.title[ctx.locale] ?? plugin,
      access: (resource, action) => ctx.authority.compile(resource, action),
      asker: this.#spec.authority,
      guards: (resource: Resource) =>
        plugins
          .filter(({ id }) => this.#on.has(id))
          .flatMap(({ id, guards = [] }) =>
            guards
              .filter(({ resource: of, when }) => of === resource.id && isAwake(when, this.#on, plugins))
              .map((guard) => this.#asked(guard, id, spec)),
          ),
      links: () => plugins.flatMap(({ links = [] }) => links),
      openChangeSet: () => {
        const isNew = this.#changeSet === undefined
        this.#changeSet ??= this.#spec.cause.spans?.changeSet ?? uuidv7()
        return { id: this.#changeSet, isNew }
      },
      emit: (emission) => {
        this.#emissions.push(emission)
      },
      tellWithChange: (emissions) => (this.#emissions.length === 0 ? this.#telling(emissions) : undefined),
      delivering: (deliveries) => {
        this.#deliveries += deliveries
      },
      signal: (change) => {
        this.#changes.push(change)
      },
      savepoint: (part) => this.#savepoint(part),
    }
  }

  /** Whoever writes, a guard is asked with what is its own plugin's: its settings, its services. */
  #asked(guard: GuardDefinition, plugin: string, spec: UnitSpec): GuardDefinition {
    if (plugin === spec.plugin || plugin === 'core') return guard
    // Its context is made where it is asked: most writes are not of the kind it guards.
    return { ...guard, check: (write) => onBehalf(plugin, () => guard.check(write, this.#contextOf(plugin, spec))) }
  }

  #contextOf(plugin: string, spec: UnitSpec): Context {
    const key = `${plugin} ${spec.authority === systemAuthority}`
    const made = this.#contexts.get(key) ?? this.#contextFor({ ...spec, plugin })
    this.#contexts.set(key, made)
    return made
  }

  async #savepoint<T>(part: () => Promise<T>): Promise<T> {
    const name = `part${(this.#savepoints += 1)}`
    const before = {
      emissions: this.#emissions.length,
      changes: this.#changes.length,
      after: this.#afterCommit.length,
      changeSet: this.#changeSet,
    }
    const inner = await (this.#tx as unknown as Savepoint).savepoint(name).execute()
    try {
      const result = await part()
      await inner.releaseSavepoint(name).execute()
      return result
    } catch (error) {
      await inner.rollbackToSavepoint(name).execute()
      this.#emissions.length = before.emissions
      this.#changes.length = before.changes
      this.#afterCommit.length = before.after
      // What was made or held in that part is there no more, or no longer held.
      for (const found of this.#found) found.clear()
      // The ledger's head was undone with the part that would have been its first.
      this.#changeSet = before.changeSet
      throw error
    }
  }

  #entityManager(): EntityManager {
    if (!this.#em) {
      this.#em = this.#set.orm.em.fork({ clear: true }) as unknown as EntityManager
      this.#em.setTransactionContext(this.#tx)
      this.#em.setFilterParams('workspace', { workspace: this.#spec.workspace.id })
    }
    return this.#em
  }

  #use<S>(service: ServiceDefinition<S>, spec: UnitSpec): S | undefined {
    demandDeclared(this.#set.plugins, spec.plugin, service.id)
    for (const { id, provides = [] } of this.#set.plugins) {
      const provision = this.#on.has(id) ? provides.find((it) => it.service.id === service.id) : undefined
      if (!provision) continue
      const key = `${service.id} ${spec.authority === systemAuthority}`
      const isForeign = id !== spec.plugin && id !== 'core'
      let entry = this.#services.get(key)
      if (!entry) {
        const make = () => provision.make(this.#contextOf(id, spec))
        const made: unknown = isForeign ? onBehalf(id, make) : make()
        this.#services.set(key, (entry = { made, lending: this.#lending(service.id) }))
      }
      const made = entry.made as S
      return isForeign ? foreign(id, made, entry.lending) : made
    }
    return undefined
  }

  /** What another provides is used within the unit that asked for it: afterwards its plugin may be off, or another version. */
  #lending(service: string): Lending {
    const tx = this.#tx as unknown as Ending
    return {
      wrapped: new WeakMap(),
      demand: () => {
        if (tx.isCommitted || tx.isRolledBack) throw serviceEnded({ service })
      },
    }
  }

  #contributions<C>(point: PointDefinition<C>, asking: string): readonly C[] {
    const { plugins } = this.#set
    demandDeclared(plugins, asking, point.id)
    const awake = (it: Contribution) => it.point.id === point.id && isAwake(it.when, this.#on, plugins)
    return plugins
      .filter(({ id }) => this.#on.has(id))
      .flatMap(({ id, contributes = [] }) =>
        contributes
          .filter(awake)
          .map(({ value }) => value as C)
          .map((value) => (id === asking || id === 'core' ? value : foreign(id, value))),
      )
  }
}

const neverAborted = new AbortController().signal

/**
 * Whoever relies on what is another's says so, or nobody could tell what breaks without it. What was contributed to a plugin's
 * points runs in that plugin's units: there its maker's word counts too.
 */
function demandDeclared(plugins: readonly PluginDefinition[], plugin: string, what: string): void {
  const owner = ownerOf(what)
  if (owner === plugin || owner === 'core' || plugin === 'core') return
  const says = ({ id, uses = [] }: PluginDefinition) => id === owner || uses.some((use) => use.id === what)
  const isDeclared = plugins.some(
    (it) =>
      (it.id === plugin && says(it)) ||
      (says(it) && (it.contributes ?? []).some(({ point }) => ownerOf(point.id) === plugin)),
  )
  if (!isDeclared) throw useUndeclared({ plugin, what })
}

/**
 * An event says what happened to its own plugin's records, so nobody else tells it. What was contributed to a plugin's points
 * runs in that plugin's units and tells its maker's.
 */
function demandOwn(plugins: readonly PluginDefinition[], plugin: string, event: string): void {
  const owner = ownerOf(event)
  if (owner === plugin || plugin === 'core') return
  const { contributes = [] } = plugins.find(({ id }) => id === owner) ?? {}
  if (!contributes.some(({ point }) => ownerOf(point.id) === plugin)) throw eventForeign({ event, plugin, owner })
}

function refuseService<S>(service: ServiceDefinition<S>): never {
  throw serviceAbsent({ service: service.id })
}
