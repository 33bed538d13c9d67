import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Workspace } from '../../actor.ts'
import type { Database, Sql } from '../../database/database.ts'
import type { Signal, Signals } from '../../database/signals.ts'
import { columnList } from '../field-value.ts'
import type { Catalog, Resources } from '../registry.ts'
import { OwnResources, type OwnField, type OwnFieldFault } from './own-resources.ts'
import { fields } from './resource.ts'

/** Whether a hint is about a workspace's own fields. Every write of a record sends one. */
export function changesFields(signal: Signal): boolean {
  return signal.kind === 'records' && signal.changes.some(({ resource }) => resource === 'core.field')
}

interface Definitions {
  readonly rows: readonly OwnField[]
  readonly zone: string
  /** By the resources without own fields, which are others when other plugins are on. */
  readonly made: WeakMap<Resources, Resources>
  /** Of what they were made. */
  readonly text: string
}

interface Kept {
  readonly reading: Promise<Definitions>
  /** Milliseconds of the process's own clock. */
  readonly freshUntil: number
}

interface Latest {
  readonly definitions: Definitions
  readonly base: Resources
  readonly resources: Resources
}

// A signal drops what is kept at once; this bounds what a lost signal costs.
const keptFor = 15_000

/** The resources of each workspace with what plugins add to them and its own fields, read once and kept in the process until a definition changes. */
export class OwnFields {
  readonly #database: Database
  readonly #catalog: () => Catalog
  readonly #log: Logger
  readonly #kept = new Map<string, Kept>()
  readonly #latest = new Map<string, Latest>()
  readonly #stop: () => void

  constructor({
    database,
    signals,
    catalog,
    log,
  }: {
    database: Database
    signals: Signals
    catalog: () => Catalog
    log: Logger
  }) {
    this.#database = database
    this.#catalog = catalog
    this.#log = log
    this.#stop = signals.on((signal) => {
      if (signal.kind === 'records' && changesFields(signal)) this.#kept.delete(signal.workspace)
      // A plugin may have come or gone, and its fields with it; one that is switched leaves the definitions as they are.
      if (signal.kind === 'plugins' && !signal.switched) this.#kept.clear()
    })
  }

  /**
   * @param on - the plugins that are on there
   * @param catalog - of what is loaded now, when absent; of a set that was replaced, for who still works with it
   */
  async in(workspace: Workspace, on: ReadonlySet<string>, catalog = this.#catalog()): Promise<Resources> {
    const base = catalog.extendedBy(on)
    const kept = this.#keptOf(workspace)
    const definitions = await kept.reading
    const resources = this.#with(definitions, base, workspace.id)
    const latest = this.#latest.get(workspace.id)
    const isNews = latest?.definitions !== definitions || latest.base !== base
    // A change while reading makes the answer old news, and what was replaced is none.
    if (isNews && this.#kept.get(workspace.id) === kept && catalog === this.#catalog())
      this.#latest.set(workspace.id, { definitions, base, resources })
    return resources
  }

  /** The last answer of `in`, for code that cannot wait: every unit of work has asked before. */
  lastKnown(workspace: string): Resources {
    return this.#latest.get(workspace)?.resources ?? this.#catalog()
  }

  /** The same without the workspace's own fields. */
  declaredIn(workspace: string): Resources {
    return this.#latest.get(workspace)?.base ?? this.#catalog()
  }

  #keptOf(workspace: Workspace): Kept {
    const kept = this.#kept.get(workspace.id)
    if (kept && performance.now() < kept.freshUntil) return kept
    const fresh: Kept = { reading: this.#read(workspace), freshUntil: performance.now() + keptFor }
    this.#kept.set(workspace.id, fresh)
    fresh.reading.catch(() => {
      if (this.#kept.get(workspace.id) === fresh) this.#kept.delete(workspace.id)
    })
    return fresh
  }

  async #read({ id, zone }: Workspace): Promise<Definitions> {
    const rows = await this.#database.transaction({ workspace: id, partner: '*', readonly: true }, (tx) =>
      ownFieldsOf(this.#catalog(), tx, id),
    )
    // The same definitions stay the same resources: what is kept for them in WeakMaps stays too.
    const text = JSON.stringify([rows, zone])
    const latest = this.#latest.get(id)?.definitions
    return latest?.text === text ? latest : { rows, zone, made: new WeakMap(), text }
  }

  #with({ rows, zone, made }: Definitions, base: Resources, workspace: string): Resources {
    if (rows.length === 0) return base
    let resources = made.get(base)
    if (!resources) {
      const broken = ({ row, property, error }: OwnFieldFault) =>
        this.#log.warn({ err: error, field: `${row.resource}.${row.name}`, property }, 'a definition no longer fits')
      made.set(base, (resources = new OwnResources(base, rows, { workspace, zone, broken })))
    }
    return resources
  }

  close(): void {
    this.#stop()
  }
}

/** Every definition of a workspace but those in the bin, in order. */
export async function ownFieldsOf(catalog: Resources, tx: Sql, workspace: string): Promise<readonly OwnField[]> {
  const { rows } = await sql<OwnField>`
    select ${columnList(catalog.of(fields).all, 'f')} from core.field as f
    where f.workspace = ${workspace}::uuid and f.deleted_at is null
    order by f.resource, f.position, f.created_at, f.id`.execute(tx)
  return rows
}
