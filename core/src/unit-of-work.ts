import type { EntityManager } from '@mikro-orm/sql'
import { uuidv7 } from 'uuidv7'
import type { z } from 'zod'
import type { Context } from './context.ts'
import type { Sql } from './database/database.ts'
import type { RecordSignal } from './database/signals.ts'
import type { Emission, EventDefinition } from './events/event.ts'
import { flushEmissions, type Telling } from './events/outbox.ts'
import type { Parts, UnitSpec } from './parts.ts'
import { systemAuthority } from './permissions/system-authority.ts'
import type { Contribution } from './plugins/define-plugin.ts'
import { serviceAbsent, settingsForeign } from './plugins/errors.ts'
import { isAwake } from './plugins/peer-condition.ts'
import type { PointDefinition, ServiceDefinition } from './plugins/tokens.ts'
import { RecordEngine } from './records/engine.ts'
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

/** One transaction and what gathers around it until it commits: events, hints for other tabs, work for afterwards. */
export class UnitOfWork {
  readonly #parts: Parts
  readonly #tx: Sql
  readonly #spec: UnitSpec
  /** Plugins that are on in the workspace. */
  readonly #on: ReadonlySet<string>
  readonly #resources: Resources
  readonly #services = new Map<string, unknown>()
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
    { on, resources }: { on: ReadonlySet<string>; resources: Resources },
  ) {
    this.#parts = parts
    this.#tx = tx
    this.#spec = spec
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
    const context: Context = {
      actor,
      workspace,
      authority,
      partners: this.#spec.authority.partners,
      cause,
      locale: actor.locale,
      clock: { now: () => parts.clock.now(), today: () => parts.clock.today(workspace.zone) },
      log: parts.log.child({
        plugin,
        workspace: workspace.id,
        ...(cause.request === undefined ? {} : { request: cause.request }),
      }),
      signal: spec.signal ?? neverAborted,
      get records() {
        return engine
      },
      get em() {
        return entityManager()
      },
      sql: this.#tx,
      emit: <P extends z.ZodType>(event: EventDefinition<P>, payload: z.input<P>, { key }: { key: string }) => {
        this.#emissions.push(parts.events.emission(plugin, event, payload, key))
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
      isAwake: (when) => isAwake(when, this.#on, parts.plugins),
      contributions: (point) => this.#contributions(point),
      dormant: ({ id: point }) =>
        this.#parts.plugins
          .filter(({ id, contributes = [] }) => !this.#on.has(id) && contributes.some((it) => it.point.id === point))
          .map(({ id }) => id),
      t: (key, values) => parts.words.in(workspace).say(actor.locale, key, values),
      asSystem: () =>
        authority === systemAuthority ? context : this.#contextFor({ ...spec, authority: systemAuthority }),
      get changeSet() {
        return changeSet()
      },
    }
    const engine = new RecordEngine(this.#scopeFor(context))
    return context
  }

  #scopeFor(ctx: Context): EngineScope {
    const { plugins } = this.#parts
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
          .flatMap(({ guards = [] }) =>
            guards.filter(({ resource: of, when }) => of === resource.id && isAwake(when, this.#on, plugins)),
          ),
      // Asked by merges alone.
      get links() {
        return plugins.flatMap(({ links = [] }) => links)
      },
      openChangeSet: () => {
        const isNew = this.#changeSet === undefined
        this.#changeSet ??= this.#spec.cause.spans?.changeSet ?? uuidv7()
        return { id: this.#changeSet, isNew }
      },
      emit: (emission) => {
        this.#emissions.push(emission)
      },
      tellWithChange: (emissions) => {
        if (this.#emissions.length === 0) return this.#telling(emissions)
        this.#emissions.push(...emissions)
        return undefined
      },
      delivering: (deliveries) => {
        this.#deliveries += deliveries
      },
      signal: (change) => {
        this.#changes.push(change)
      },
      savepoint: (part) => this.#savepoint(part),
    }
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
      this.#em = this.#parts.orm.em.fork({ clear: true }) as unknown as EntityManager
      this.#em.setTransactionContext(this.#tx)
      this.#em.setFilterParams('workspace', { workspace: this.#spec.workspace.id })
    }
    return this.#em
  }

  #use<S>(service: ServiceDefinition<S>, spec: UnitSpec): S | undefined {
    for (const { id, provides = [] } of this.#parts.plugins) {
      const provision = this.#on.has(id) ? provides.find((it) => it.service.id === service.id) : undefined
      if (!provision) continue
      const key = `${service.id} ${spec.authority === systemAuthority}`
      if (!this.#services.has(key)) this.#services.set(key, provision.make(this.#contextFor({ ...spec, plugin: id })))
      return this.#services.get(key) as S
    }
    return undefined
  }

  #contributions<C>(point: PointDefinition<C>): readonly C[] {
    const { plugins } = this.#parts
    const awake = (it: Contribution) => it.point.id === point.id && isAwake(it.when, this.#on, plugins)
    return plugins
      .filter(({ id }) => this.#on.has(id))
      .flatMap(({ contributes = [] }) => contributes.filter(awake).map(({ value }) => value as C))
  }
}

const neverAborted = new AbortController().signal

function refuseService<S>(service: ServiceDefinition<S>): never {
  throw serviceAbsent({ service: service.id })
}
