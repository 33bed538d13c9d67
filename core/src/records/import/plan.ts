import { sql } from 'kysely'
import type { Context } from '../../context.ts'
import { fieldNotReadable } from '../../permissions/errors.ts'
import type { Words } from '../../words.ts'
import type { AddressPart } from '../field-types.ts'
import type { FieldModel } from '../model.ts'
import type { Resource, Resources } from '../registry.ts'
import { readingOf, type CellReading } from './cell-values.ts'
import { importMappingInvalid, type MappingFault } from './errors.ts'
import { filledField } from './filled-field.ts'
import type { ColumnMapping, ImportOptions, ValueAlias } from './import.ts'
import type { ColumnProfile } from './profile.ts'
import { isReference } from './propose-mapping.ts'
import type { ImportTarget } from './targets.ts'

/** One field that lines fill, and how its text is found in a line. */
export interface PlanEntry {
  readonly field: FieldModel
  /** The part of an address it is; its other parts are entries of their own. */
  readonly part: AddressPart | undefined
  readonly reading: CellReading
  /** For a reference: the resource and the field by which its record is found. */
  readonly target: Resource | undefined
  readonly by: FieldModel | undefined
  /** Makes the referred record when there is none. */
  readonly create: boolean
  /** Only new records get it. */
  readonly onlyNew: boolean
  /** Its text in a line with accepted aliases in place; empty when the line says nothing. */
  text(cells: readonly string[]): string
}

/** What a mapping means for every line, worked out once. */
export interface Plan {
  readonly target: ImportTarget
  readonly resource: Resource
  readonly entries: readonly PlanEntry[]
  readonly key: PlanEntry | undefined
  readonly options: ImportOptions
  /** Fields whose value may stand in one line only, each with the form in which values are compared. */
  readonly unique: readonly { readonly entry: PlanEntry; form(text: string): string }[]
  /** The field by which lines of this file refer to each other, when they do. */
  readonly named: PlanEntry | undefined
  /** Whether some line may refer to another. */
  readonly isLinked: boolean
}

export interface PlanRequest {
  readonly ctx: Context
  readonly catalog: Resources
  readonly words: Words
  readonly target: ImportTarget
  readonly columns: readonly ColumnProfile[]
  readonly mapping: readonly ColumnMapping[]
  readonly aliases: readonly ValueAlias[]
  readonly key: string | null
  readonly options: ImportOptions
}

type Refuse = (reason: MappingFault, value?: string) => Error

const keyTypes: ReadonlySet<string> = new Set(['text', 'email', 'phone', 'url', 'integer', 'select', 'long'])

/** @throws `IMPORT_MAPPING_INVALID` (422) naming the column and what is wrong with it, `FIELD_NOT_READABLE` (403) of a hidden key */
export async function planOf(request: PlanRequest): Promise<Plan> {
  const { target, key, options, ctx } = request
  const { resource } = target
  const entries = entriesOf(request)
  const keyEntry = entries.find(({ field, onlyNew }) => field.name === key && !onlyNew)
  if (key !== null && (!keyEntry || !keyTypes.has(keyEntry.field.type)))
    throw importMappingInvalid({ column: key, reason: 'key', value: '' })
  // Whether a line finds its record would tell the value.
  if (keyEntry && !ctx.authority.compile(resource, 'read').readable(keyEntry.field.name))
    throw fieldNotReadable({ resource: resource.id, field: keyEntry.field.name })
  const own = entries.filter((entry) => entry.target === resource)
  const [first] = own
  return {
    target,
    resource,
    entries,
    key: keyEntry,
    options,
    unique: await uniqueEntries(ctx, resource, entries, keyEntry),
    named: entries.find(({ field, onlyNew }) => field === first?.by && !onlyNew),
    isLinked: own.length > 0,
  }
}

function entriesOf(request: PlanRequest): PlanEntry[] {
  const { ctx, catalog, words, target, columns, mapping, options } = request
  const { resource } = target
  const reader = cellReader(request)
  const seen = new Set<string>()
  return mapping.flatMap((it): PlanEntry[] => {
    const where = it.column || it.field || ''
    const refuse: Refuse = (reason, value = '') => importMappingInvalid({ column: where, reason, value })
    const isComposed = it.column === '' && it.columns !== undefined
    for (const column of [it.column, ...(it.columns ?? [])]) {
      if (column !== '' && !columns.some(({ name }) => name === column))
        throw importMappingInvalid({ column, reason: 'column_unknown', value: '' })
    }
    if (it.field === null) return []
    const filled = filledField(resource, it.field)
    if (!filled || !target.mayWrite(ctx, filled.field.name)) throw refuse('field_closed', `${resource.id}.${it.field}`)
    if (seen.has(it.field)) throw refuse('field_twice', it.field)
    seen.add(it.field)
    const { field, part } = filled
    const reference = isReference(field) ? referenceOf(ctx, catalog, field, it, refuse) : undefined
    const column = columns.find(({ name }) => name === it.column)
    const text = isComposed
      ? composedText(reader, it.columns ?? [], mapping, request.key)
      : it.column === ''
        ? () => it.value ?? ''
        : (cells: readonly string[]) => reader(it.column, cells)
    return [
      {
        field,
        part,
        reading: readingOf({ words, resource, zone: ctx.workspace.zone }, filled, column, options),
        target: reference?.target,
        by: reference?.by,
        create: it.create === true,
        onlyNew: isComposed,
        text,
      },
    ]
  })
}

function referenceOf(
  ctx: Context,
  catalog: Resources,
  field: FieldModel,
  { by }: ColumnMapping,
  refuse: Refuse,
): { target: Resource; by: FieldModel } {
  const target = catalog.get(field.target ?? '')
  if (!target) throw refuse('target_off')
  const key = target.fields.get(by ?? target.title)
  if (!key || !keyTypes.has(key.type) || !ctx.authority.compile(target, 'read').readable(key.name))
    throw refuse('by_unknown', `${target.id}.${by ?? target.title}`)
  return { target, by: key }
}

/** Reads a cell by its column's name, trimmed, with accepted aliases in place. */
function cellReader({ columns, aliases }: PlanRequest): (column: string, cells: readonly string[]) => string {
  const places = new Map(columns.map(({ name }, index) => [name, index]))
  const meanings = new Map<string, Map<string, string>>()
  for (const { column, from, to, accepted } of aliases) {
    if (!accepted || to === '') continue
    meanings.set(column, (meanings.get(column) ?? new Map<string, string>()).set(from, to))
  }
  return (column, cells) => {
    const text = (cells[places.get(column) ?? -1] ?? '').trim()
    return meanings.get(column)?.get(text) ?? text
  }
}

/** Several columns as one text; where all are empty, the line's key stands for it. */
function composedText(
  reader: (column: string, cells: readonly string[]) => string,
  from: readonly string[],
  mapping: readonly ColumnMapping[],
  key: string | null,
): (cells: readonly string[]) => string {
  const keyColumn = mapping.find(({ field, column }) => field === key && column !== '')?.column
  return (cells) => {
    const parts = from.map((column) => reader(column, cells)).filter((part) => part !== '')
    if (parts.length > 0) return parts.join(' – ')
    return keyColumn === undefined ? '' : reader(keyColumn, cells)
  }
}

const asIs = (text: string) => text
const lower = (text: string) => text.toLowerCase()

/** The key, and the fields that a unique index of the table holds alone. */
async function uniqueEntries(
  ctx: Context,
  resource: Resource,
  entries: readonly PlanEntry[],
  key: PlanEntry | undefined,
): Promise<Plan['unique']> {
  const { rows } = await sql<{ parts: string[] }>`
    select to_jsonb(array(select pg_get_indexdef(i.indexrelid, part, true) from generate_series(1, i.indnkeyatts) part)) as parts
    from pg_index i where i.indrelid = ${`${resource.schema}.${resource.table}`}::regclass and i.indisunique`.execute(
    ctx.sql,
  )
  const forms = new Map<string, (text: string) => string>()
  for (const { parts } of rows) {
    const own = parts.filter((part) => part !== 'workspace')
    const [, folded, column] = (own.length === 1 && /^(lower\()?"?(\w+)"?(?:::text)?\)?$/.exec(own[0] ?? '')) || []
    if (column !== undefined) forms.set(column, folded === undefined ? asIs : lower)
  }
  return entries.flatMap((entry) => {
    // The index of a workspace's own field is over an expression.
    const isAlone = entry === key || entry.field.unique === true
    const form = forms.get(entry.field.column) ?? (isAlone ? asIs : undefined)
    return form && !entry.target ? [{ entry, form }] : []
  })
}
