import type { CollectionModel } from '../model.ts'
import type { ResourceRef } from '../records.ts'
import type { Catalog, Resource, Resources } from '../registry.ts'
import type { Side } from './side.ts'

/** A resource with the fields that plugins keep beside its records. */
function withSides(base: Resource, sides: readonly Side[]): Resource {
  const added = sides.flatMap(({ fields }) => fields)
  const names = (which: 'list' | 'form' | 'search') => sides.flatMap((side) => side[which])
  const { options } = base
  return {
    ...base,
    fields: new Map([...base.fields, ...added.map((field) => [field.name, field] as const)]),
    // A record has no row beside it until one of its values is set.
    nullable: new Set([...base.nullable, ...added.map(({ name }) => name)]),
    defaults: new Map([...base.defaults, ...sides.flatMap(({ defaults }) => [...defaults])]),
    search: [...base.search, ...names('search')],
    options: {
      ...options,
      list: [...options.list, ...names('list')],
      form: [...(options.form ?? options.list), ...names('form')],
    },
    sides,
    all: [...base.all, ...added],
  }
}

/** The declared resources with what the plugins that are on in a workspace add to them. */
export class ExtendedResources implements Resources {
  readonly #base: Catalog
  readonly #extended = new Map<string, Resource>()
  readonly #all: readonly Resource[]

  /** @param sides - those that are awake, by the resource they extend */
  constructor(base: Catalog, sides: ReadonlyMap<string, readonly Side[]>) {
    this.#base = base
    for (const [id, some] of sides) this.#extended.set(id, withSides(base.of(id), some))
    for (const resource of [...this.#extended.values()]) this.#addCollections(resource)
    this.#all = base.all().map((resource) => this.#extended.get(resource.id) ?? resource)
  }

  /** Records that point at another through a field beside them are found from there too. */
  #addCollections(resource: Resource): void {
    for (const { name, type, target: id, side } of resource.fields.values()) {
      const target = side && type === 'reference' && id !== undefined ? this.get(id) : undefined
      if (!target) continue
      const collection: CollectionModel = {
        name: `${resource.path}By${name[0]?.toUpperCase()}${name.slice(1)}`,
        target: resource.id,
        field: name,
      }
      const collections = new Map([...target.collections, [collection.name, collection]])
      this.#extended.set(target.id, { ...target, collections })
    }
  }

  get(id: string): Resource | undefined {
    return this.#extended.get(id) ?? this.#base.get(id)
  }

  of(ref: ResourceRef): Resource {
    const base = this.#base.of(ref)
    return this.#extended.get(base.id) ?? base
  }

  all(): readonly Resource[] {
    return this.#all
  }

  get whole(): Resources {
    return this.#base.whole
  }

  get archived() {
    return this.#base.archived
  }

  bringing(resource: string, field: string): string | undefined {
    return this.#base.bringing(resource, field)
  }
}
