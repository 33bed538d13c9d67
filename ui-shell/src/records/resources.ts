import { addressParts, hasWords, recordHref, resource, shell, t } from '@socle/sdk/ui'
import type { FieldMeta, FieldType, Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'

const pointing: readonly FieldType[] = ['reference', 'user', 'team']
const numeric: readonly FieldType[] = ['integer', 'decimal', 'money', 'percent']

export const pointsAtRecord = (field: FieldMeta): boolean => pointing.includes(field.type) && !field.masked
export const isNumeric = (field: FieldMeta): boolean => numeric.includes(field.type)

export function fieldOf(meta: ResourceMeta, name: string): FieldMeta | undefined {
  return meta.fields.find((it) => it.name === name)
}

/** Fields by name in the order given; those the actor may not read are absent from the metadata and drop out. */
export function fieldsOf(meta: ResourceMeta, names: readonly string[]): FieldMeta[] {
  return names.flatMap((name) => fieldOf(meta, name) ?? [])
}

/** Fields that may filter, group and add up. */
export function decidingFields(meta: ResourceMeta): FieldMeta[] {
  return shownFields(meta).filter((it) => !it.masked)
}

/** Whether there is something to show. A relation to many without any is an empty list. */
export function hasValue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)
}

/** Follows `stage.kind` through references. Answers the fields on the way, the last one being compared. */
export function fieldPath(meta: ResourceMeta, path: string): FieldMeta[] | undefined {
  const way: FieldMeta[] = []
  let at: ResourceMeta | undefined = meta
  for (const name of path.split('.')) {
    const field: FieldMeta | undefined = at && fieldOf(at, name)
    if (!field) return undefined
    way.push(field)
    at = field.target ? resource(field.target) : undefined
  }
  return way
}

/** `Stage › Kind`, as the chips and menus write a path. */
export function pathLabel(way: readonly FieldMeta[]): string {
  return way.map((it) => it.label).join(' › ')
}

/** References to ask for along with the rows, so that cells show titles. */
export function includesFor(fields: readonly FieldMeta[]): string[] {
  return fields.filter(pointsAtRecord).map((it) => it.name)
}

/** What stands on the title of the page, the panel and the toasts. */
export function titleOf(meta: ResourceMeta, record: RecordJson): string {
  const title = record[meta.title]
  return typeof title === 'string' && title.trim() ? title : t('shell.records.untitled')
}

export function includedTitle(included: Included | undefined, field: FieldMeta, id: unknown): string | undefined {
  if (!field.target || typeof id !== 'string') return undefined
  return included?.[field.target]?.[id]?.title
}

/** Joins what two answers brought along; the later one wins. */
export function mergeIncluded(first: Included, second: Included | undefined): Included {
  if (!second) return first
  const merged: Record<string, Included[string]> = { ...first }
  for (const [id, records] of Object.entries(second)) merged[id] = { ...merged[id], ...records }
  return merged
}

export function hrefOf(meta: ResourceMeta, id: string): string {
  return recordHref(meta.id, id) ?? `${meta.route}/${encodeURIComponent(id)}`
}

/** Name of the module a resource belongs to; the core's own stand on top without one. */
export function moduleOf(meta: ResourceMeta): string | undefined {
  return meta.plugin === 'core' ? undefined : shell()?.plugins.find((it) => it.id === meta.plugin)?.title
}

/** Fields by the module that keeps them, with its title; the resource's own come first and have none. */
export function byModule(fields: readonly FieldMeta[]): readonly (readonly [string, readonly FieldMeta[]])[] {
  const groups = new Map<string, FieldMeta[]>([['', []]])
  for (const field of fields) {
    const module = field.module ?? ''
    groups.set(module, [...(groups.get(module) ?? []), field])
  }
  return [...groups].filter(([, some]) => some.length > 0)
}

/** For the middle of a sentence: "340 opportunities"; abbreviations such as "SLA" stay. */
export function inSentence(name: string): string {
  return /^\p{Lu}\p{Ll}/u.test(name) ? name.charAt(0).toLocaleLowerCase() + name.slice(1) : name
}

/**
 * The words of the button that creates one.
 *
 * Only the owner of a resource knows its gender ("Nouvelle opportunité"), so it may give the key `<resource id>.new`.
 */
export function createLabel(meta: ResourceMeta): string {
  const own = `${meta.id}.new`
  return hasWords(own) ? t(own) : t('shell.records.create', { one: inSentence(meta.name.one) })
}

/** Fields a person may set, in the form's order first. */
export function writableFields(meta: ResourceMeta): FieldMeta[] {
  const first = fieldsOf(meta, meta.form)
  return [...first, ...meta.fields.filter((it) => !meta.form.includes(it.name))].filter((it) => it.writable)
}

/** Fields that a file may fill, in the form's order. */
export function importableFields(meta: ResourceMeta): FieldMeta[] {
  const first = fieldsOf(meta, meta.form)
  return [...first, ...meta.fields.filter((it) => !meta.form.includes(it.name))].filter((it) => it.importable)
}

/** What a column of a file may fill: a field, or one part of an address. */
export interface FillTarget {
  /** `city`, `billingAddress.city`. */
  readonly name: string
  readonly label: string
  readonly field: FieldMeta
  readonly isPart: boolean
}

/** What a file may fill, in the form's order. */
export function fillTargets(meta: ResourceMeta): FillTarget[] {
  return importableFields(meta).flatMap((field): FillTarget[] => {
    const { name, label } = field
    if (field.type !== 'address') return [{ name, label, field, isPart: false }]
    return addressParts.map((part) => ({
      name: `${name}.${part}`,
      label: t('shell.imports.map.part', { field: label, part: t(`kit.address.${part}`) }),
      field,
      isPart: true,
    }))
  })
}

/** How what a column fills is called; what fills nothing is called as it stands. */
export function fillLabel(meta: ResourceMeta, name: string): string {
  return fillTargets(meta).find((it) => it.name === name)?.label ?? fieldOf(meta, name)?.label ?? name
}

/** Kept by the engine and of no use to a reader. */
const inner: readonly string[] = ['id', 'version', 'deletedAt']

/** Fields a person may want to see, sort or filter by: first those of list and form, last who made a record and when. */
export function shownFields(meta: ResourceMeta): FieldMeta[] {
  const order = [...meta.list, ...meta.details]
  const place = ({ name }: FieldMeta) => (order.includes(name) ? order.indexOf(name) : order.length)
  return meta.fields.filter((it) => !inner.includes(it.name)).toSorted((a, b) => place(a) - place(b))
}
