import { z } from 'zod'
import { parseExpression, type CheckedExpression } from '../expression/index.ts'
import { ownCondition, readFormula } from '../expression/formula.ts'
import { fieldTypes } from '../field-types.ts'
import type { CollectionModel, FieldModel, FieldOption, ResourceCatalog } from '../model.ts'
import type { RecordJson, ResourceRef } from '../records.ts'
import type { ArchivedReference, Resource, Resources } from '../registry.ts'
import { parseValue } from '../values.ts'
import { formulaCycle } from './errors.ts'
import type { OwnType } from './resource.ts'

/** A definition of `core.field` in the form of the API. */
export interface OwnField extends RecordJson {
  readonly resource: string
  readonly name: string
  readonly type: OwnType
  readonly labelEn: string
  readonly labelFr: string
  readonly helpEn: string | null
  readonly helpFr: string | null
  readonly options: unknown
  readonly target: string | null
  readonly currency: string | null
  readonly scale: number | null
  readonly min: string | null
  readonly max: string | null
  readonly maxLength: number | null
  readonly required: boolean
  readonly requiredIf: string | null
  readonly shownIf: string | null
  readonly unique: boolean
  readonly indexed: boolean
  readonly initial: string | null
  readonly formula: string | null
  readonly prefix: string | null
  readonly position: number
  readonly archived: boolean
}

export const optionsSchema = z
  .array(
    z.strictObject({
      // A list of choices is told from one choice by its first character.
      value: z
        .string()
        .trim()
        .min(1)
        .max(60)
        .regex(/^[^["\s]/),
      label: z
        .strictObject({ en: z.string().trim().min(1).max(120), fr: z.string().trim().min(1).max(120) })
        .optional(),
      tone: z.enum(['neutral', 'accent', 'success', 'warning', 'danger', 'info']).optional(),
      icon: z.string().max(60).optional(),
    }),
  )
  .min(1)
  .max(500)

/** Name of the index over a field's values. */
export const indexOf = (id: string) => `own_${id.replaceAll('-', '')}`

/** What a definition makes of its type, before formulas and conditions are read. */
function plainModel(row: OwnField, workspace: string): FieldModel {
  const isFormula = row.formula !== null
  const number = (value: string | null) => (value === null ? undefined : Number(value))
  const target = row.type === 'user' ? 'core.user' : (row.target ?? undefined)
  const options =
    row.type === 'select' || row.type === 'multi-select' ? optionsSchema.safeParse(row.options).data : undefined
  return defined({
    name: row.name,
    type: row.type,
    column: 'custom',
    // What a condition asks for is judged when the record is written.
    required: row.required,
    readonly: isFormula || row.type === 'auto-number',
    options: options as readonly FieldOption[] | undefined,
    target,
    currency: row.currency ?? undefined,
    maxLength: row.maxLength ?? undefined,
    scale: row.scale ?? (row.type === 'percent' || row.type === 'money' || row.type === 'decimal' ? 2 : undefined),
    min: number(row.min),
    max: number(row.max),
    unique: row.unique || undefined,
    label: { en: row.labelEn, fr: row.labelFr },
    help:
      row.helpEn === null && row.helpFr === null
        ? undefined
        : { en: row.helpEn ?? row.helpFr ?? '', fr: row.helpFr ?? row.helpEn ?? '' },
    custom: { id: row.id, workspace, index: indexOf(row.id) },
  }) as FieldModel
}

function defined<T extends object>(values: T): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

export interface OwnFieldFault {
  readonly row: OwnField
  /** Property of the definition that is wrong. */
  readonly property: 'formula' | 'requiredIf' | 'shownIf' | 'initial'
  readonly error: unknown
}

export interface OwnFieldOptions {
  /** Id of the workspace whose fields they are. */
  readonly workspace: string
  readonly zone: string
  readonly broken: (fault: OwnFieldFault) => void
}

/**
 * A resource with a workspace's own fields.
 *
 * A formula or condition that no longer fits its resource leaves the field out, or the condition: the resource works on.
 *
 * @param broken - hears of each
 */
export function withOwnFields(
  base: Resource,
  rows: readonly OwnField[],
  { catalog, workspace, zone, broken }: OwnFieldOptions & { catalog: ResourceCatalog },
): Resource {
  const shown = rows.filter(({ archived, name }) => !archived && !base.fields.has(name))
  const fields = new Map(base.fields)
  const nullable = new Set(base.nullable)
  const defaults = new Map(base.defaults)
  for (const row of shown) {
    nullable.add(row.name)
    if (row.formula === null) fields.set(row.name, plainModel(row, workspace))
  }
  const draft: Resource = { ...base, fields, nullable, defaults, all: [] }
  const formulas = new Map(shown.flatMap((row) => (row.formula === null ? [] : [[row.name, row] as const])))
  const open: string[] = []
  const failed = new Set<string>()
  const field = (name: string): FieldModel | undefined => {
    const known = fields.get(name)
    const row = formulas.get(name)
    if (known || !row || failed.has(name)) return known
    if (open.includes(name))
      throw formulaCycle({ of: 'formula', path: [...open.slice(open.indexOf(name)), name].join(' → ') })
    open.push(name)
    try {
      const { custom: _, ...model } = plainModel(row, workspace)
      const formula = readFormula(row.formula ?? '', model, { resource: draft, catalog, zone, field })
      const made: FieldModel = { ...model, formula }
      fields.set(name, made)
      return made
    } finally {
      open.pop()
    }
  }
  for (const [name, row] of formulas) {
    try {
      field(name)
    } catch (error) {
      failed.add(name)
      broken({ row, property: 'formula', error })
    }
  }
  for (const row of shown) {
    const model = fields.get(row.name)
    if (!model?.custom) continue
    const condition = (property: 'requiredIf' | 'shownIf'): CheckedExpression | undefined => {
      const text = row[property]
      if (text === null) return undefined
      try {
        return ownCondition(parseExpression(text), { resource: draft, catalog, timeless: false }).checked
      } catch (error) {
        broken({ row, property, error })
        return undefined
      }
    }
    fields.set(row.name, {
      ...model,
      custom: {
        ...model.custom,
        ...defined({
          requiredIf: condition('requiredIf'),
          shownIf: condition('shownIf'),
          prefix: row.prefix ?? undefined,
        }),
      },
    })
    if (row.initial === null || model.readonly) continue
    const parsed = parseValue(model, initialOf(model, row.initial))
    if (parsed.ok && parsed.value !== null) defaults.set(row.name, parsed.value)
    else broken({ row, property: 'initial', error: parsed })
  }
  const order = new Map(shown.map(({ name }, index) => [name, index]))
  const added = [...fields.values()]
    .filter(({ name }) => order.has(name))
    .toSorted((a, b) => order.get(a.name)! - order.get(b.name)!)
  return { ...draft, all: [...base.all, ...added] }
}

/** A default is written as text: lists, numbers, and yes or no as JSON. */
function initialOf({ type }: FieldModel, text: string): unknown {
  const isJson = ['jsonb', 'boolean', 'integer'].includes(fieldTypes[type].sql)
  try {
    return isJson ? JSON.parse(text) : text
  } catch {
    return text
  }
}

/** The resources of a workspace that has fields of its own. */
export class OwnResources implements Resources {
  readonly #base: Resources
  readonly #rows: readonly OwnField[]
  readonly #options: OwnFieldOptions
  readonly #own = new Map<string, Resource>()
  readonly #all: readonly Resource[]
  #whole: Resources | undefined

  constructor(base: Resources, rows: readonly OwnField[], options: OwnFieldOptions) {
    this.#base = base
    this.#rows = rows
    this.#options = options
    for (const [id, some] of Map.groupBy(rows, ({ resource }) => resource)) {
      const resource = base.get(id)
      if (resource) this.#own.set(id, withOwnFields(resource, some, { catalog: base, ...options }))
    }
    for (const resource of [...this.#own.values()]) this.#addCollections(resource)
    this.#all = base.all().map((resource) => this.#own.get(resource.id) ?? resource)
  }

  /** Records that point at another through a field of the workspace's own are found from there too. */
  #addCollections(resource: Resource): void {
    for (const { name, type, target: id, custom } of resource.fields.values()) {
      if (!custom || type !== 'reference' || id === undefined) continue
      const target = this.get(id)
      if (!target) continue
      const collection: CollectionModel = {
        name: `${resource.path}By${name[0]?.toUpperCase()}${name.slice(1)}`,
        target: resource.id,
        field: name,
      }
      if (target.fields.has(collection.name) || target.collections.has(collection.name)) continue
      this.#own.set(id, { ...target, collections: new Map([...target.collections, [collection.name, collection]]) })
    }
  }

  get(id: string): Resource | undefined {
    return this.#own.get(id) ?? this.#base.get(id)
  }

  of(ref: ResourceRef): Resource {
    const base = this.#base.of(ref)
    return this.#own.get(base.id) ?? base
  }

  all(): readonly Resource[] {
    return this.#all
  }

  get whole(): Resources {
    const { whole } = this.#base
    if (whole === this.#base) return this
    return (this.#whole ??= new OwnResources(whole, this.#rows, { ...this.#options, broken: () => {} }))
  }

  get archived(): readonly ArchivedReference[] {
    return this.#rows.flatMap((row): ArchivedReference[] => {
      const resource = row.archived && row.formula === null ? this.get(row.resource) : undefined
      const field = resource && plainModel(row, this.#options.workspace)
      return resource && field?.target !== undefined ? [{ resource, field }] : []
    })
  }

  bringing(resource: string, field: string): string | undefined {
    return this.#base.bringing(resource, field)
  }
}
