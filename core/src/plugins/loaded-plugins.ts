import type { MikroORM } from '@mikro-orm/core'
import type { EventCatalog } from '../events/catalog.ts'
import type { Catalog } from '../records/registry.ts'
import type { PluginDefinition } from './define-plugin.ts'

/** The plugins this process runs, and what is made of all of them together; never changed, only replaced. */
export interface PluginSet {
  /** In dependency order, the core first. */
  readonly plugins: readonly PluginDefinition[]
  readonly orm: MikroORM
  /** The resources as they were declared, without any workspace's own fields. */
  readonly catalog: Catalog
  readonly events: EventCatalog
}

/** Keeps something of its own for each loaded plugin: its routes, its words, its subscribers. */
export interface PluginHolder {
  /** Makes what it keeps for the set, changing nothing yet. What it answers puts that in its place, and cannot fail. */
  prepare(set: PluginSet): () => void
}

/**
 * What is loaded now. A set is replaced whole and between two turns of the event loop, so that no request meets half of a
 * plugin; units of work that run meanwhile end with the set they began with.
 */
export class LoadedPlugins {
  readonly #assemble: (plugins: readonly PluginDefinition[]) => PluginSet
  readonly #holders: PluginHolder[] = []
  #set: PluginSet
  #isWhole = true
  #changing: Promise<void> = Promise.resolve()

  /** @throws what the plugins' declarations are wrong in */
  constructor(assemble: (plugins: readonly PluginDefinition[]) => PluginSet, plugins: readonly PluginDefinition[]) {
    this.#assemble = assemble
    this.#set = assemble(plugins)
  }

  get set(): PluginSet {
    return this.#set
  }

  get(id: string): PluginDefinition | undefined {
    return this.#set.plugins.find((plugin) => plugin.id === id)
  }

  /** Whether every holder could take what it needs of this set; where not, replace it before anybody is served. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Lets it keep what it needs of this set, and of each that follows. */
  attach(holder: PluginHolder): void {
    this.#holders.push(holder)
    try {
      holder.prepare(this.#set)()
    } catch {
      // Whose declaration is wrong shows when each is tried alone.
      this.#isWhole = false
    }
  }

  /**
   * Makes all that these plugins need, changing nothing yet; what it answers runs them from now on, and cannot fail. Those
   * that are present with the same definition go on as they are.
   *
   * @param plugins - in dependency order, the core first
   * @throws what a declaration is wrong in
   */
  prepare(plugins: readonly PluginDefinition[]): () => void {
    const set = this.#assemble(plugins)
    const places = this.#holders.map((holder) => holder.prepare(set))
    return () => {
      this.#set = set
      this.#isWhole = true
      for (const put of places) put()
    }
  }

  /**
   * Runs these plugins from now on.
   *
   * @throws what a declaration is wrong in, with nothing changed
   */
  replace(plugins: readonly PluginDefinition[]): void {
    this.prepare(plugins)()
  }

  /** Lets one change of the set follow another in this process: each sees what the one before has made. */
  async change<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#changing
    let leave!: () => void
    this.#changing = new Promise((resolve) => {
      leave = resolve
    })
    await before
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
