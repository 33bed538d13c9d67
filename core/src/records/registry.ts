import type { EntityMetadata, EntityProperty, MetadataStorage } from '@mikro-orm/core'
import type { PluginDefinition } from '../plugins/define-plugin.ts'
import { contributionCollision } from '../plugins/errors.ts'
import { isAwake } from '../plugins/peer-condition.ts'
import type { FieldDefinition, GuardDefinition, ResourceDefinition, ResourceOptions } from './define-resource.ts'
import type { CollectionModel, FieldModel, FieldOption, FieldType, ResourceCatalog, ResourceModel } from './model.ts'
import type { ResourceRef } from './records.ts'
import { extensionColumns, type ExtensionDefinition } from './sides/define-extension.ts'
import { ExtendedResources } from './sides/extended-resources.ts'
import { besideName, sideFieldName, type Side } from './sides/side.ts'
import { parseValue } from './values.ts'

/** A resource as the engine runs it: its model beside what the definition says about screens, search and keys. */
export interface Resource extends ResourceModel {
  readonly definition: ResourceDefinition
  readonly options: ResourceOptions
  readonly guards: readonly GuardDefinition[]
  /** Paths whose words find a record: those it declares, else its title where it stands in the navigation. */
  readonly search: readonly string[]
  /** Columns that may be empty, by field name. */
  readonly nullable: ReadonlySet<string>
  /** Values a new record starts with where the caller sends none. */
  readonly defaults: ReadonlyMap<string, unknown>
  /** Fields of every record, in the order records are answered. */
  readonly all: readonly FieldModel[]
  /** What plugins keep beside its records, of those that are on. */
  readonly sides: readonly Side[]
}

/** Fields every record has; they are readable by whoever may read the record. */
export const systemFields: ReadonlySet<string> = new Set([
  'id',
  'version',
  'owner',
  'team',
  'createdAt',
  'updatedAt',
  'createdBy',
  'updatedBy',
  'deletedAt',
])

const baseReadonly = new Set(['id', 'version', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy', 'deletedAt'])
const baseHidden = new Set(['workspace', 'custom'])
const userFields = new Set(['owner', 'createdBy', 'updatedBy'])

export interface ArchivedReference {
  readonly resource: Resource
  readonly field: FieldModel
}

/** The resources as one workspace has them, or all of them as they were declared. */
export interface Resources extends ResourceCatalog {
  get(id: string): Resource | undefined
  /** The resource a definition or id stands for; its absence is a programming fault. */
  of(ref: ResourceRef): Resource
  all(): readonly Resource[]
  /** The same with what plugins that are off here keep beside records too: for what must leave nothing of a record behind. */
  readonly whole: Resources
  /** References of the workspace's own that are archived: nobody reads them, and they come back with their values. */
  readonly archived: readonly ArchivedReference[]
  /** The loaded plugin that brings a field to a resource of another, on here or off. */
  bringing(resource: string, field: string): string | undefined
}

/** Every resource of every loaded plugin. Which of them exist in a workspace is the kernel's to say. */
export class Catalog implements Resources {
  readonly #byId = new Map<string, Resource>()
  readonly #byPath = new Map<string, Resource>()
  readonly #byDefinition = new Map<ResourceDefinition, Resource>()
  readonly #byTable = new Set<string>()
  readonly #plugins: readonly PluginDefinition[]
  readonly #sides = new Map<string, readonly Side[]>()
  readonly #extended = new Map<string, Resources>()

  constructor(plugins: readonly PluginDefinition[], metadata: MetadataStorage) {
    this.#plugins = plugins
    const ids = new Map<unknown, string>()
    const entries: { plugin: PluginDefinition; definition: ResourceDefinition; meta: EntityMetadata; id: string }[] = []
    for (const plugin of plugins) {
      for (const definition of plugin.resources ?? []) {
        const meta = metadata.get(definition.entity as never) as EntityMetadata
        const id = `${plugin.id}.${definition.options.name ?? kebab(meta.className)}`
        ids.set(meta.className, id)
        entries.push({ plugin, definition, meta, id })
      }
    }
    const guards = plugins.flatMap((plugin) => plugin.guards ?? [])
    const collections = new Map<string, Map<string, CollectionModel>>()
    const built = entries.map(({ plugin, definition, meta, id }) => {
      const fields = new Map<string, FieldModel>()
      const nullable = new Set<string>()
      const defaults = new Map<string, unknown>()
      for (const property of meta.props as EntityProperty[]) {
        const model = fieldOf(id, property, definition.options.fields?.[property.name], ids)
        if (!model) continue
        fields.set(model.name, model)
        if (property.nullable) nullable.add(model.name)
        const initial = systemFields.has(model.name) ? undefined : defaultOf(model, property)
        if (initial !== undefined) defaults.set(model.name, initial)
        if (model.type === 'reference' && model.target !== undefined && model.name !== 'id') {
          const incoming = collections.get(model.target) ?? new Map<string, CollectionModel>()
          // Two references to one target (billing and delivery account) are told apart by the field's name.
          const name = incoming.has(definition.options.path)
            ? `${definition.options.path}By${model.name[0]?.toUpperCase()}${model.name.slice(1)}`
            : definition.options.path
          collections.set(model.target, incoming.set(name, { name, target: id, field: model.name }))
        }
      }
      for (const { name, derivedFrom = [] } of fields.values()) {
        const missing = derivedFrom.find((it) => !fields.has(it))
        if (missing !== undefined) throw new Error(`${id} derives "${name}" from "${missing}", which is not a field.`)
      }
      const resource: Resource = {
        id,
        plugin: plugin.id,
        entity: id.slice(plugin.id.length + 1),
        path: definition.options.path,
        schema: meta.schema ?? 'public',
        table: meta.tableName,
        fields,
        collections: new Map(),
        title: definition.options.title,
        ...(definition.options.audience ? { audience: definition.options.audience } : {}),
        ...partnerSideOf(id, fields, definition.options),
        definition,
        options: definition.options,
        guards: guards.filter((guard) => guard.resource === id),
        search: definition.options.search ?? (definition.options.nav === false ? [] : [definition.options.title]),
        nullable,
        defaults,
        all: [...fields.values()],
        sides: [],
      }
      return resource
    })
    for (const draft of built) {
      const resource: Resource = {
        ...draft,
        collections: collections.get(draft.id) ?? new Map<string, CollectionModel>(),
      }
      this.#byId.set(resource.id, resource)
      this.#byPath.set(`${resource.plugin}/${resource.path}`, resource)
      this.#byDefinition.set(resource.definition, resource)
      this.#byTable.add(`${resource.schema}.${resource.table}`)
    }
    for (const plugin of plugins)
      for (const extension of plugin.extends ?? []) this.#extend(plugin, extension, metadata, ids)
  }

  /** What extends a resource that no loaded plugin declares waits for it. */
  #extend(
    { id: plugin }: PluginDefinition,
    { resource: id, entity, options }: ExtensionDefinition,
    metadata: MetadataStorage,
    ids: ReadonlyMap<unknown, string>,
  ): void {
    const meta = metadata.get(entity as never) as EntityMetadata
    this.#byTable.add(`${meta.schema}.${meta.tableName}`)
    const resource = this.#byId.get(id)
    if (!resource) return
    const side = sideOf({ plugin, resource: id, meta, options, ids })
    const known = this.#sides.get(id) ?? []
    for (const { name } of side.fields) {
      const isTheirs = resource.fields.has(name) || resource.collections.has(name)
      const first = isTheirs ? resource.plugin : this.bringing(id, name)
      if (first !== undefined) throw contributionCollision({ what: `field ${id}.${name}`, first, second: plugin })
    }
    this.#sides.set(id, [...known, side])
  }

  /** The resources with what these plugins add to them. Where the same of it is awake the answer is the same, too. */
  extendedBy(on: ReadonlySet<string>): Resources {
    if (this.#sides.size === 0) return this
    return this.#extendedWith(({ plugin, when }) => on.has(plugin) && isAwake(when, on, this.#plugins))
  }

  get archived(): readonly ArchivedReference[] {
    return []
  }

  get whole(): Resources {
    return this.#extendedWith(() => true)
  }

  #extendedWith(isHere: (side: Side) => boolean): Resources {
    const awake = new Map(
      [...this.#sides].flatMap(([id, sides]) => {
        const some = sides.filter(isHere)
        return some.length === 0 ? [] : [[id, some] as const]
      }),
    )
    if (awake.size === 0) return this
    const key = [...awake].map(([id, sides]) => `${id} ${sides.map(({ plugin }) => plugin).join(' ')}`).join('\n')
    let extended = this.#extended.get(key)
    if (!extended) this.#extended.set(key, (extended = new ExtendedResources(this, awake)))
    return extended
  }

  bringing(resource: string, field: string): string | undefined {
    return this.#sides.get(resource)?.find(({ fields }) => fields.some(({ name }) => name === field))?.plugin
  }

  get(id: string): Resource | undefined {
    return this.#byId.get(id)
  }

  at(plugin: string, path: string): Resource | undefined {
    return this.#byPath.get(`${plugin}/${path}`)
  }

  of(ref: ResourceRef): Resource {
    const resource = typeof ref === 'string' ? this.#byId.get(ref) : this.#byDefinition.get(ref)
    if (!resource)
      throw new Error(`No loaded plugin declares the resource ${typeof ref === 'string' ? ref : ref.options.path}.`)
    return resource
  }

  /** True for tables that only the write path may write. */
  holds(schema: string, table: string): boolean {
    return this.#byTable.has(`${schema}.${table}`)
  }

  all(): readonly Resource[] {
    return [...this.#byId.values()]
  }
}

function sideOf({
  plugin,
  resource,
  meta,
  options,
  ids,
}: {
  readonly plugin: string
  readonly resource: string
  readonly meta: EntityMetadata
  readonly options: ExtensionDefinition['options']
  readonly ids: ReadonlyMap<unknown, string>
}): Side {
  const properties = (meta.props as EntityProperty[]).filter(({ name }) => !extensionColumns.has(name))
  const own = new Set(properties.map(({ name }) => name))
  // What it says of its own properties is meant by their names there; what it says of the resource's, as it is.
  const named = (name: string) => (own.has(name) ? sideFieldName(plugin, name) : name)
  const schema = meta.schema ?? 'public'
  const defaults = new Map<string, unknown>()
  const fields = properties.flatMap((property): FieldModel[] => {
    const model = fieldOf(resource, property, options.fields?.[property.name], ids)
    if (!model) return []
    const name = named(property.name)
    const field: FieldModel = {
      ...model,
      name,
      column: besideName(plugin, model.column),
      side: { plugin, schema, table: meta.tableName, column: model.column },
      ...(model.currency === undefined ? {} : { currency: named(model.currency) }),
      ...(model.targetIn === undefined ? {} : { targetIn: named(model.targetIn) }),
      ...(model.derivedFrom === undefined ? {} : { derivedFrom: model.derivedFrom.map(named) }),
    }
    const initial = defaultOf(model, property)
    if (initial !== undefined) defaults.set(name, initial)
    return [field]
  })
  const all = fields.map(({ name }) => name)
  return {
    plugin,
    schema,
    table: meta.tableName,
    ...(options.when ? { when: options.when } : {}),
    fields,
    defaults,
    list: (options.list ?? []).map(named),
    form: options.form?.map(named) ?? all,
    search: (options.search ?? []).map(named),
  }
}

function partnerSideOf(
  resource: string,
  fields: ReadonlyMap<string, FieldModel>,
  { partner }: ResourceOptions,
): Pick<ResourceModel, 'partner'> {
  if (partner === undefined) return {}
  const field = typeof partner === 'string' ? partner : partner.person
  if (!fields.has(field)) throw new Error(`${resource} says whose a record is by "${field}", which is not a field.`)
  return { partner: { field, of: typeof partner === 'string' ? 'partner' : 'person' } }
}

/** `OrderLine` → `order-line`. */
export function kebab(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
}

function fieldOf(
  resource: string,
  property: EntityProperty,
  definition: FieldDefinition = {},
  ids: ReadonlyMap<unknown, string>,
): FieldModel | undefined {
  const { name } = property
  if (baseHidden.has(name) || definition.hidden || property.persist === false) return undefined
  if (property.kind !== 'scalar' && property.kind !== 'm:1' && property.kind !== '1:1') return undefined
  const column = property.fieldNames?.[0]
  if (column === undefined) return undefined
  const target = targetOf(resource, property, definition, ids)
  if (definition.onTargetGone === 'clear' && !property.nullable)
    throw new Error(`${resource}.${name} is to be emptied when what it points at goes, and cannot be empty.`)
  const type = definition.format ?? typeOf(name, property, target)
  const options = optionsOf(definition, property)
  const readonly = definition.readonly ?? (baseReadonly.has(name) || property.generated !== undefined)
  const mandatory = !property.nullable && property.default === undefined && property.defaultRaw === undefined
  return {
    name,
    type,
    column,
    required: !readonly && (definition.required ?? (mandatory && !systemFields.has(name))),
    readonly,
    ...(options ? { options } : {}),
    ...(target === undefined ? {} : { target }),
    ...(definition.onTargetGone === undefined ? {} : { onTargetGone: definition.onTargetGone }),
    ...(definition.targetIn === undefined ? {} : { targetIn: definition.targetIn }),
    ...(definition.derivedFrom ? { derivedFrom: definition.derivedFrom } : {}),
    ...(definition.needs === undefined ? {} : { needs: definition.needs }),
    ...(type === 'text' && property.columnTypes?.[0] === 'uuid' ? { isId: true } : {}),
    ...(definition.personal ? { personal: true } : {}),
    ...(definition.currency === undefined ? {} : { currency: definition.currency }),
    ...(property.length === undefined ? {} : { maxLength: property.length }),
    ...(property.scale === undefined ? {} : { scale: property.scale }),
    ...(definition.min === undefined ? {} : { min: definition.min }),
    ...(definition.max === undefined ? {} : { max: definition.max }),
    ...(property.unique ? { unique: true } : {}),
    ...(definition.plain ? { plain: true } : {}),
  }
}

function targetOf(
  resource: string,
  property: EntityProperty,
  definition: FieldDefinition,
  ids: ReadonlyMap<unknown, string>,
): string | undefined {
  if (definition.target !== undefined) return definition.target
  if (property.name === 'id') return resource
  if (property.name === 'team' && property.kind === 'scalar') return 'core.team'
  if (userFields.has(property.name) || definition.format === 'user') return 'core.user'
  if (definition.format === 'team') return 'core.team'
  if (property.kind === 'scalar') return undefined
  return ids.get(property.targetMeta?.className)
}

function typeOf(name: string, property: EntityProperty, target: string | undefined): FieldType {
  if (target === 'core.user' && name !== 'id') return 'user'
  if (target === 'core.team' && name !== 'id') return 'team'
  if (target !== undefined || property.kind !== 'scalar') return 'reference'
  if (property.items) return 'select'
  const column = property.columnTypes?.[0] ?? ''
  if (column === 'boolean') return 'boolean'
  if (column === 'date') return 'date'
  if (column.startsWith('timestamp')) return 'instant'
  if (column.startsWith('numeric')) return 'decimal'
  if (column === 'jsonb') return 'json'
  if (/^(?:int|smallint|bigint)/.test(column)) return 'integer'
  if (column === 'text') return 'long'
  return 'text'
}

/** The column's default in the form records are answered; expressions such as `now()` stay the database's. */
function defaultOf(field: FieldModel, property: EntityProperty): unknown {
  const written = property.default
  if (written === undefined || written === null) return undefined
  const bare = typeof written === 'string' ? written.replace(/^'(.*)'$/s, '$1') : written
  const input =
    field.type === 'boolean' ? String(bare) === 'true' : field.type === 'json' ? JSON.parse(String(bare)) : bare
  const parsed = parseValue(field, input)
  // A default of empty text reads as no value: the database puts it there.
  return parsed.ok && parsed.value !== null ? parsed.value : undefined
}

function optionsOf(definition: FieldDefinition, property: EntityProperty): readonly FieldOption[] | undefined {
  if (definition.options)
    return definition.options.map((option) => (typeof option === 'string' ? { value: option } : option))
  return property.items?.map((value) => ({ value: String(value) }))
}
