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

interface Read {
  readonly resources: Resources
  /** What they were made of: the resources without own fields, and the definitions. */
  readonly base: Resources
  readonly text: string
}

interface Kept {
  readonly base: Resources
  readonly reading: Promise<Read>
  /** Milliseconds of the process's own clock. */
  readonly freshUntil: number
}

// A signal drops what is kept at once; this bounds what a lost signal costs.
const keptFor = 15_000

/** The resources of each workspace with what plugins add to them and its own fields, read once and kept in the process until a definition changes. */
export class OwnFields {
  readonly #database: Database
  readonly #catalog: () => Catalog
  readonly #log: Logger
  readonly #kept = new Map<string, Kept>()
  readonly #latest = new Map<string, Read>()
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
      // A plugin may have come or gone, and its resources with it.
      if (signal.kind === 'plugins') this.#kept.clear()
    })
  }

  /** @param on - the plugins that are on there */
  async in(workspace: Workspace, on: ReadonlySet<string>): Promise<Resources> {
    const base = this.#catalog().extendedBy(on)
    const kept = this.#kept.get(workspace.id)
    if (kept?.base === base && performance.now() < kept.freshUntil) return (await kept.reading).resources
    const reading = this.#read(workspace, base)
    const fresh: Kept = { base, reading, freshUntil: performance.now() + keptFor }
    this.#kept.set(workspace.id, fresh)
    reading.then(
      (read) => {
        // A change while reading makes the answer old news.
        if (this.#kept.get(workspace.id) === fresh) this.#latest.set(workspace.id, read)
      },
      () => this.#kept.delete(workspace.id),
    )
    return (await reading).resources
  }

  /** The last answer of `in`, for code that cannot wait: every unit of work has asked before. */
  lastKnown(workspace: string): Resources {
    return this.#latest.get(workspace)?.resources ?? this.#catalog()
  }

  /** The same without the workspace's own fields. */
  declaredIn(workspace: string): Resources {
    return this.#latest.get(workspace)?.base ?? this.#catalog()
  }

  async #read(workspace: Workspace, base: Resources): Promise<Read> {
    const rows = await this.#database.transaction({ workspace: workspace.id, partner: '*', readonly: true }, (tx) =>
      ownFieldsOf(base, tx, workspace.id),
    )
    // The same definitions stay the same resources: what is kept for them in WeakMaps stays too.
    const text = JSON.stringify([rows, workspace.zone])
    const latest = this.#latest.get(workspace.id)
    if (latest?.text === text && latest.base === base) return latest
    if (rows.length === 0) return { resources: base, base, text }
    const broken = ({ row, property, error }: OwnFieldFault) =>
      this.#log.warn({ err: error, field: `${row.resource}.${row.name}`, property }, 'a definition no longer fits')
    const { id, zone } = workspace
    return { resources: new OwnResources(base, rows, { workspace: id, zone, broken }), base, text }
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
