import { sql } from 'kysely'
import { tableOf } from '../records/past.ts'
import { systemFields, type Resource } from '../records/registry.ts'
import type { EngineScope } from '../records/scope.ts'
import { isUuid } from '../records/values.ts'

/** What an event is about: enough to tell who may know what it says. */
export interface About {
  readonly name: string
  /** The record's id. */
  readonly key: string
}

/** A payload as somebody may read it; null where its record is not theirs to see. */
export interface SeenPayload {
  readonly payload: unknown
  /** Names of what was left out. */
  readonly hidden: readonly string[]
}

/**
 * Reads what events say as the actor may: the same rights on records and fields as everywhere.
 *
 * A payload is no record: its parts are known by their names alone. So a part that is called like a field which the actor
 * may not read, of whatever resource, is left out; and where the event's own resource hides fields, only what is an id or is
 * called like a field that may be read is left in. What an error says is anybody's guess: it is for who sees all of the record.
 */
export class EventReader {
  readonly #scope: EngineScope
  /** Records of each resource that the actor reaches, of those the page is about; all of them where it says `all`. */
  readonly #within: ReadonlyMap<string, ReadonlySet<string> | 'all'>
  #closed: { readonly names: ReadonlySet<string>; readonly isWhole: boolean } | undefined

  private constructor(scope: EngineScope, within: ReadonlyMap<string, ReadonlySet<string> | 'all'>) {
    this.#scope = scope
    this.#within = within
  }

  /** Looks once for each resource which of the records are within reach. */
  static async for(scope: EngineScope, events: readonly About[]): Promise<EventReader> {
    const within = new Map<string, ReadonlySet<string> | 'all'>()
    for (const [id, some] of Map.groupBy(events, ({ name }) => resourceIn(scope, name)?.id)) {
      const resource = id === undefined ? undefined : scope.catalog.get(id)
      const access = resource && scope.access(resource, 'read')
      if (!resource || !access?.allowed) continue
      within.set(resource.id, access.everything ? 'all' : await reached(scope, resource, some))
    }
    return new EventReader(scope, within)
  }

  read(about: About, payload: unknown): SeenPayload {
    const resource = resourceIn(this.#scope, about.name)
    if (!this.#sees(resource, about)) return { payload: null, hidden: [] }
    const hidden = new Set<string>()
    return { payload: this.#part(resource, payload, hidden), hidden: [...hidden] }
  }

  /** Whether the actor may read words that may quote anything of the record. */
  readsErrors(about: About): boolean {
    const resource = resourceIn(this.#scope, about.name)
    return this.#sees(resource, about) && (resource === undefined || !this.#hides(resource))
  }

  /** An event of no resource is told to who may read every field of every resource. */
  #sees(resource: Resource | undefined, { key }: About): boolean {
    if (!resource) return this.#closedNames().isWhole
    const within = this.#within.get(resource.id)
    return within === 'all' || within?.has(key) === true
  }

  #hides(resource: Resource): boolean {
    const access = this.#scope.access(resource, 'read')
    return resource.all.some(({ name }) => !access.readable(name))
  }

  #closedNames() {
    if (this.#closed) return this.#closed
    const names = new Set<string>()
    let isWhole = true
    for (const resource of this.#scope.catalog.all().filter((it) => this.#scope.exists(it))) {
      const access = this.#scope.access(resource, 'read')
      isWhole &&= access.allowed && (access.everything || resource.audience !== undefined)
      for (const { name } of resource.all)
        if (!systemFields.has(name) && !(access.allowed && access.readable(name))) names.add(name)
    }
    return (this.#closed = { names, isWhole: isWhole && names.size === 0 })
  }

  #part(resource: Resource | undefined, value: unknown, hidden: Set<string>): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((it) => this.#part(resource, it, hidden))
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, part]): [string, unknown][] => {
        if (name === 'changed' && Array.isArray(part)) return [[name, this.#readableNames(resource, part)]]
        if (this.#mayRead(resource, name, part)) return [[name, this.#part(resource, part, hidden)]]
        hidden.add(name)
        return []
      }),
    )
  }

  #mayRead(resource: Resource | undefined, name: string, part: unknown): boolean {
    const { names, isWhole } = this.#closedNames()
    if (isWhole) return true
    const access = resource && this.#scope.access(resource, 'read')
    if (resource?.fields.has(name)) return access?.readable(name) === true
    if (names.has(name)) return false
    return resource === undefined || !this.#hides(resource) || isId(part) || systemFields.has(name)
  }

  /** Names of fields are no values; that a field the actor may not read changed is not theirs to know all the same. */
  #readableNames(resource: Resource | undefined, names: readonly unknown[]): unknown[] {
    if (!resource) return [...names]
    const access = this.#scope.access(resource, 'read')
    return names.filter((it) => typeof it === 'string' && access.readable(it))
  }
}

/** `core.account.updated` is about an account, as is whatever else a plugin tells under that name. */
export function resourceIn({ catalog, exists }: EngineScope, event: string): Resource | undefined {
  const resource = catalog.get(event.slice(0, Math.max(event.lastIndexOf('.'), 0)))
  return resource && exists(resource) ? resource : undefined
}

const isId = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isId) : typeof value === 'string' && isUuid(value)

async function reached(scope: EngineScope, resource: Resource, events: readonly About[]): Promise<ReadonlySet<string>> {
  const keys = [...new Set(events.map(({ key }) => key))]
  const { rows } = await sql<{ id: string }>`
    select t.id from ${tableOf(resource, 't')}
    where t.workspace = ${scope.ctx.workspace.id}::uuid and t.id = any(${keys}::uuid[])
      and ${scope.access(resource, 'read').where('t')}`.execute(scope.tx)
  return new Set(rows.map(({ id }) => id))
}
