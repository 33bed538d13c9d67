import type { Context } from '../../context.ts'
import type { Words } from '../../words.ts'
import type { FieldModel } from '../model.ts'
import type { Resource, Resources } from '../registry.ts'
import { choicesOf } from './cell-values.ts'
import type { ColumnMapping, ValueAlias } from './import.ts'
import type { ColumnProfile } from './profile.ts'
import { isReference } from './propose-mapping.ts'
import { findByText, valuesInUse } from './references.ts'
import { closest, compact, fold } from './resemblance.ts'
import { vocabularyOf } from './usual-words.ts'

export interface AliasQuestion {
  readonly ctx: Context
  readonly catalog: Resources
  readonly words: Words
  readonly resource: Resource
  readonly columns: readonly ColumnProfile[]
  readonly mapping: readonly ColumnMapping[]
}

const mostKnown = 5_000
const mostProposed = 100
/** A text with more different values than this is not one of a kind, such as a name. */
const mostKinds = 100

/**
 * Values of the file that are not known as they stand, each with the known value that is close to it. Where a field
 * takes nothing else than known values, those without a close one are listed too: somebody must say what they mean.
 */
export async function proposeAliases(question: AliasQuestion): Promise<ValueAlias[]> {
  const proposals: ValueAlias[] = []
  for (const entry of question.mapping) {
    const column = question.columns.find(({ name }) => name === entry.column)
    const field = entry.field === null ? undefined : question.resource.fields.get(entry.field)
    if (!column?.values || !field) continue
    const found = isReference(field)
      ? await forReference(question, column, field, entry)
      : (forChoices(question, column, field) ?? (await forFreeText(question, column, field)))
    proposals.push(...found.slice(0, mostProposed))
  }
  return proposals
}

const alias = (column: ColumnProfile, from: string, rows: number, to = ''): ValueAlias => ({
  column: column.name,
  from,
  to,
  rows,
  accepted: false,
})

async function forReference(
  { ctx, catalog, columns, mapping, resource }: AliasQuestion,
  column: ColumnProfile,
  field: FieldModel,
  { by, create }: ColumnMapping,
): Promise<ValueAlias[]> {
  const target = catalog.get(field.target ?? '')
  const key = target?.fields.get(by ?? target.title)
  if (!target || !key || !column.values) return []
  const found = await findByText(
    ctx,
    { target, by: key },
    column.values.map(([value]) => value),
    { folded: true },
  )
  // Lines may refer to records that other lines of the file are about to become.
  const inFile =
    target.id === resource.id
      ? (columns.find(({ name }) => mapping.some((it) => it.field === key.name && it.column === name))?.values ?? [])
      : []
  const own = new Set(inFile.map(([value]) => fold(value)))
  const unknown = column.values.filter(([value]) => !found.has(value) && !own.has(fold(value)))
  if (unknown.length === 0) return []
  const known = [...(await valuesInUse(ctx, target, key, mostKnown)), ...inFile.map(([value]) => value)]
  return unknown
    .map(([value, lines]) => alias(column, value, lines, closest(value, known)))
    .filter(({ to }) => to !== '' || create !== true)
}

/** For a field of choices; undefined for a field that takes any text. */
function forChoices(
  { words, resource, ctx }: AliasQuestion,
  column: ColumnProfile,
  field: FieldModel,
): ValueAlias[] | undefined {
  const choices = choicesOf(words, resource, field)
  if (!choices) return undefined
  const normal = field.type === 'select' ? compact : fold
  const unknown = (column.values ?? []).filter(([value]) => !choices.has(normal(value)))
  // A choice has a value of its own; of a vocabulary its word in the actor's language is said.
  const said = field.type === 'select' ? undefined : vocabularyOf(field.name)?.words[ctx.locale]
  return unknown.map(([value, lines]) => {
    const close = closest(value, said ?? choices.keys())
    return alias(column, value, lines, said || close === undefined ? close : choices.get(close))
  })
}

async function forFreeText(
  { ctx, resource }: AliasQuestion,
  column: ColumnProfile,
  field: FieldModel,
): Promise<ValueAlias[]> {
  const values = column.values ?? []
  const vocabulary = vocabularyOf(field.name)
  const isKind = field.type === 'text' && field.name !== resource.title && !resource.options.keys?.includes(field.name)
  if (!isKind || values.length > mostKinds || (!vocabulary && values.length > column.filled / 2)) return []
  const used = await valuesInUse(ctx, resource, field, 1_000)
  const usual = [...(vocabulary?.words.en ?? []), ...(vocabulary?.words.fr ?? [])]
  const known = new Set([...used, ...usual].map(fold))
  return values.flatMap(([value, lines]) => {
    if (known.has(fold(value))) return []
    // A spelling that the file itself has three times as often is the right one as well.
    const frequent = values.filter(([, others]) => others >= lines * 3).map(([other]) => other)
    const close = closest(value, used) ?? closest(value, frequent) ?? closest(value, usual)
    return close === undefined ? [] : [alias(column, value, lines, used.includes(close) ? close : cased(close, value))]
  })
}

/** In the case the file writes: all small, all capital, or with a capital first. */
function cased(word: string, like: string): string {
  if (like === like.toLowerCase()) return word.toLowerCase()
  if (like === like.toUpperCase()) return word.toUpperCase()
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

/** Proposals beside what was decided: accepted aliases and those added by hand stay while their column is mapped. */
export function mergeAliases(
  given: readonly ValueAlias[],
  proposed: readonly ValueAlias[],
  columns: readonly ColumnProfile[],
  mapping: readonly ColumnMapping[],
): ValueAlias[] {
  const isMapped = (column: string) => mapping.some((it) => it.column === column && it.field !== null)
  const of = (it: { column: string; from: string }) => `${it.column}\u0001${it.from}`
  const decided = given.filter((it) => it.accepted && it.to !== '' && isMapped(it.column))
  const places = new Set(decided.map(of))
  const counted = decided.map((it) => ({
    ...it,
    rows: columns.find(({ name }) => name === it.column)?.values?.find(([value]) => value === it.from)?.[1] ?? it.rows,
  }))
  const byProposal = new Map(proposed.map((it) => [of(it), it]))
  const order = [...byProposal.keys()]
  const merged = [...counted, ...proposed.filter((it) => !places.has(of(it)))]
  return merged.toSorted((a, b) => rank(order, of(a)) - rank(order, of(b)))
}

function rank(order: readonly string[], place: string): number {
  const at = order.indexOf(place)
  return at < 0 ? order.length : at
}
