import type { Locale } from '../../actor.ts'
import type { Words } from '../../words.ts'
import { addressParts, type AddressPart } from '../field-types.ts'
import { fieldLabel, partLabel } from '../labels.ts'
import type { FieldModel } from '../model.ts'
import type { Resource } from '../registry.ts'

/** What a column fills: a field, or one part of an address, which a file has in columns of their own. */
export interface FilledField {
  readonly field: FieldModel
  readonly part: AddressPart | undefined
}

/** What a mapping means by `city` or `billingAddress.city`; an address is not filled as a whole. */
export function filledField(resource: Resource, name: string): FilledField | undefined {
  const whole = resource.fields.get(name)
  if (whole) return whole.type === 'address' ? undefined : { field: whole, part: undefined }
  const dot = name.lastIndexOf('.')
  const field = resource.fields.get(name.slice(0, dot))
  const part = addressParts.find((it) => it === name.slice(dot + 1))
  return field?.type === 'address' && part ? { field, part } : undefined
}

/** How what a column fills is called where people read of it; a name that fills nothing stays as it is. */
export function filledLabel(words: Words, locale: Locale, resource: Resource, name: string): string {
  const filled = filledField(resource, name)
  if (filled?.part) return partLabel(words, locale, resource.id, { field: filled.field, part: filled.part })
  const field = resource.fields.get(name)
  return field ? fieldLabel(words, locale, resource.id, field) : name
}

/** Fields as columns are proposed for them: an address by its parts. */
export function inParts(words: Words, resource: Resource, field: FieldModel): FieldModel[] {
  if (field.type !== 'address') return [field]
  return addressParts.map((part) => {
    const [en, fr] = (['en', 'fr'] as const).map((locale) => partLabel(words, locale, resource.id, { field, part }))
    return {
      ...field,
      name: `${field.name}.${part}`,
      type: 'text',
      required: false,
      label: { en: en ?? '', fr: fr ?? '' },
    }
  })
}
