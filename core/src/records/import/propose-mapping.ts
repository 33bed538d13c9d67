import { locales, type Words } from '../../words.ts'
import { fieldLabel } from '../labels.ts'
import type { FieldModel } from '../model.ts'
import type { Resource } from '../registry.ts'
import { choicesOf } from './cell-values.ts'
import type { ColumnMapping } from './import.ts'
import type { ColumnProfile } from './profile.ts'
import { compact, likeness, wordsIn } from './resemblance.ts'
import { meaning } from './usual-words.ts'

/** What proposals are made from. */
export interface MappingQuestion {
  readonly resource: Resource
  /** Fields a file may fill. */
  readonly fields: readonly FieldModel[]
  readonly columns: readonly ColumnProfile[]
  readonly words: Words
  /**
   * How many of a column's values name records of a reference's target, 0 to 1, and by which of its fields.
   * Undefined where that cannot be told.
   */
  known(column: ColumnProfile, field: FieldModel): { share: number; by: string } | undefined
}

const enough = 0.55
const byValuesAlone = 0.6
const mostFit = 0.8

/**
 * Which column goes where, by its head against names and labels in both languages, by the form of its values, and for
 * references by whether its values name records.
 */
export function proposeMapping(question: MappingQuestion): ColumnMapping[] {
  const { columns, fields } = question
  const candidates = columns.flatMap((column) =>
    fields.flatMap((field) => {
      const score = scoreOf(question, column, field)
      return score >= enough ? [{ column, field, score }] : []
    }),
  )
  const chosen = new Map<string, FieldModel>()
  const taken = new Set<string>()
  for (const { column, field } of candidates.toSorted((a, b) => b.score - a.score)) {
    if (chosen.has(column.name) || taken.has(field.name)) continue
    chosen.set(column.name, field)
    taken.add(field.name)
  }
  return columns.map((column) => {
    const field = chosen.get(column.name)
    if (!field) return { column: column.name, field: null }
    const by = isReference(field) ? question.known(column, field)?.by : undefined
    return { column: column.name, field: field.name, ...(by === undefined ? {} : { by }) }
  })
}

export function isReference({ type }: FieldModel): boolean {
  return type === 'reference' || type === 'user' || type === 'team'
}

function scoreOf(question: MappingQuestion, column: ColumnProfile, field: FieldModel): number {
  const isNamed = namesOf(question, field).some((name) => compact(name) === compact(column.name))
  if (!isPossible(question, column, field, isNamed ? 0 : mostFit)) return 0
  const byName = Math.max(
    ...namesOf(question, field).map((name) =>
      isReference(field)
        ? namesRelation(question.resource, column.name, field, name)
        : alike(question.resource, column.name, name),
    ),
    field.name === question.resource.title ? namesRecord(question, column.name) : 0,
  )
  if (!isReference(field) || byName === 1) return byName
  const known = question.known(column, field)
  if (!known) return byName
  if (known.share >= byValuesAlone) return Math.max(byName, byValuesAlone * known.share)
  return known.share > 0 ? byName : byName * 0.8
}

function namesOf({ words, resource }: MappingQuestion, field: FieldModel): string[] {
  return [field.name, ...locales.map((locale) => fieldLabel(words, locale, resource.id, field))]
}

function alike(resource: Resource, head: string, name: string): number {
  if (compact(head) === compact(name)) return 1
  const all = meaning(wordsIn(head))
  const said = all.difference(meaning(wordsIn(resource.entity)))
  return Math.max(inCommon(said.size > 0 ? said : all, meaning(wordsIn(name))), spelledAs(head, name))
}

function inCommon(said: ReadonlySet<string>, theirs: ReadonlySet<string>): number {
  const shared = said.intersection(theirs).size
  return 0.55 * (shared / Math.min(said.size, theirs.size)) + 0.4 * (shared / said.union(theirs).size)
}

function spelledAs(head: string, name: string): number {
  const spelling = likeness(head, name)
  return spelling >= 0.85 ? 0.9 * spelling : 0
}

/** By what records are told apart, whatever they are: `id` names no relation, `account_id` names the account. */
const telling: ReadonlySet<string> = new Set(meaning(['id', 'name']))

/** How well a head names a relation. One of the workspace's own has no usual words beside its name. */
function namesRelation({ entity }: Resource, head: string, { custom }: FieldModel, name: string): number {
  if (compact(head) === compact(name)) return 1
  const said = meaning(wordsIn(head)).difference(telling)
  const theirs = meaning(wordsIn(name)).difference(telling)
  if (said.size === 0 || theirs.size === 0) return 0
  if (said.symmetricDifference(theirs).size === 0) return 0.95
  const mine = said.difference(meaning(wordsIn(entity)))
  return Math.max(custom || mine.size === 0 ? 0 : inCommon(mine, theirs), spelledAs(head, name))
}

/** A column headed by the kind of record itself (“account” in a file of accounts) holds their names. */
function namesRecord({ resource, words }: MappingQuestion, head: string): number {
  const kinds = [resource.entity, words.say('en', `${resource.id}.one`), words.say('fr', `${resource.id}.one`)]
  const said = meaning(wordsIn(head))
  return Math.max(
    ...kinds.map((kind) => {
      const its = [...meaning(wordsIn(kind))]
      return its.every((word) => said.has(word)) ? (its.length === said.size ? 0.97 : 0.65) : 0
    }),
  )
}

/**
 * Whether the values of a column could be those of a field at all.
 *
 * @param share - how many of them must be, 0 to 1. One does where the column is called as the field is: its other lines
 *   are then refused one by one, which is seen, where a column left out is not
 */
function isPossible(
  { words, resource }: MappingQuestion,
  column: ColumnProfile,
  field: FieldModel,
  share: number,
): boolean {
  if (column.filled === 0) return true
  const most = Math.max(1, column.filled * share)
  switch (field.type) {
    case 'integer':
    case 'decimal':
    case 'money':
    case 'percent':
      return column.numbers >= most
    case 'date':
    case 'instant':
      return column.dates >= most
    case 'email':
      return column.mails >= most
    case 'select': {
      const choices = choicesOf(words, resource, field)
      return column.values !== null && column.values.some(([value]) => choices?.has(compact(value)))
    }
    default:
      return true
  }
}

/** The field by which lines find the records they update: the first key of the resource that no two lines share. */
export function proposeKey(
  resource: Resource,
  mapping: readonly ColumnMapping[],
  columns: readonly ColumnProfile[],
  readable: (field: string) => boolean,
): string | null {
  const keys = [...(resource.options.keys ?? []), ...ownKeys(resource), resource.title]
  const isUnique = (name: string) => {
    const entry = mapping.find(({ field }) => field === name)
    const column = columns.find((it) => it.name === entry?.column)
    return column !== undefined && column.unique && column.empty === 0
  }
  return keys.find((name) => readable(name) && isUnique(name)) ?? null
}

/** The workspace's own fields that no two records share a value of. */
export function ownKeys({ all }: Resource): string[] {
  return all.filter(({ unique, custom }) => unique && custom).map(({ name }) => name)
}

/**
 * Fills what new records must have and no column gives: their name from another name of theirs (an account's from its
 * legal one) or from what they refer to, another required text from the name. Given anew whenever the mapping changes, because a column chosen for the field takes its place.
 */
export function withComposed(
  resource: Resource,
  fields: readonly FieldModel[],
  mapping: readonly ColumnMapping[],
): ColumnMapping[] {
  const own = mapping.filter(({ column, field, columns }) => field !== null && (column !== '' || columns === undefined))
  const columnOf = (field: string) => own.find((it) => it.field === field && it.column !== '')?.column
  const keyColumn = [...(resource.options.keys ?? [])].map(columnOf).find((it) => it !== undefined)
  const composed = fields
    .filter(({ name, type, required }) => required && type === 'text' && !own.some((it) => it.field === name))
    .flatMap(({ name }) => {
      const columns =
        name !== resource.title
          ? [columnOf(resource.title) ?? keyColumn]
          : (nameColumn(resource, fields, columnOf) ?? referenceColumns(resource, columnOf))
      const from = columns.filter((it) => it !== undefined)
      if (from.length === 0 && keyColumn !== undefined) from.push(keyColumn)
      return from.length > 0 ? [{ column: '', field: name, columns: from }] : []
    })
  return [...mapping.filter(({ column, columns }) => column !== '' || columns === undefined), ...composed]
}

/** The column of a field that is called as the title is, and more: `legalName` beside `name`. */
function nameColumn(
  resource: Resource,
  fields: readonly FieldModel[],
  columnOf: (field: string) => string | undefined,
): string[] | undefined {
  const title = meaning(wordsIn(resource.title))
  for (const { name, type } of fields) {
    const column = type === 'text' && name !== resource.title ? columnOf(name) : undefined
    const said = meaning(wordsIn(name))
    if (column !== undefined && [...title].every((word) => said.has(word))) return [column]
  }
  return undefined
}

function referenceColumns(resource: Resource, columnOf: (field: string) => string | undefined): (string | undefined)[] {
  const { form, list, kanban } = resource.options
  return (form ?? list)
    .filter((name) => resource.fields.get(name)?.type === 'reference' && name !== kanban?.by)
    .map(columnOf)
}
