import type { Locale } from '../actor.ts'
import type { Context } from '../context.ts'
import type { FieldFault } from '../errors.ts'
import type { Words } from '../words.ts'
import type { AddressPart } from './field-types.ts'
import type { FieldModel } from './model.ts'

/** What a field is called: as its workspace named it, else as it is translated for its resource or for any record. */
export function fieldLabel(words: Words, locale: Locale, resource: string, field: FieldModel): string {
  if (field.label) return field.label[locale]
  const key = `${resource}.${field.name}`
  const label = words.say(locale, words.has(key) ? key : `core.record.${field.name}`)
  return words.pointingAt(locale, field.target, label)
}

/** What a part of an address is called, beside its field. */
export function partLabel(
  words: Words,
  locale: Locale,
  resource: string,
  { field, part }: { readonly field: FieldModel; readonly part: AddressPart },
): string {
  const label = fieldLabel(words, locale, resource, field)
  return words.say(locale, 'core.address.of', { field: label, part: words.say(locale, `core.address.${part}`) })
}

/** A fault whose sentence calls the field what its actor does. */
export function namedFault<F extends Omit<FieldFault, 'path'>>(
  ctx: Context,
  resource: string,
  field: FieldModel,
  fault: F,
): F {
  if (fault.values?.['field'] === undefined) return fault
  return { ...fault, values: { ...fault.values, field: calledBy(ctx, resource, field) } }
}

/** What an actor calls a field. */
export function calledBy(ctx: Context, resource: string, field: FieldModel): string {
  const key = `${resource}.${field.name}`
  const own = field.label?.[ctx.locale] ?? ctx.t(key)
  return own === key ? ctx.t(`core.record.${field.name}`) : own
}

/** What a choice of a field is called. */
export function optionLabel(words: Words, locale: Locale, resource: string, field: FieldModel, value: string): string {
  const own = field.options?.find((option) => option.value === value)?.label
  if (own) return own[locale]
  // A value that nobody named is its own; so are those of a workspace's own field without a label.
  const key = `${resource}.${field.name}.${value}`
  return field.label || !words.has(key) ? value : words.say(locale, key)
}
