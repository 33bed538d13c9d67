import type { FieldModel } from '../src/records/model.ts'

// Values that tell which field they were put into, wherever they come up again: as typed, folded for search, in an
// address, in a number with or without its cents, in an export.

const four = (nth: number): string => String(nth).padStart(4, '0')

const day = (nth: number): string => new Date(Date.UTC(1950, 0, 1 + nth)).toISOString().slice(0, 10)

/** What a text holds of canaries, each in one form. */
export function canariesIn(text: string): Set<string> {
  const found = new Set<string>()
  for (const [canary] of text.matchAll(/zqk\d{4}/gi)) found.add(canary.toLowerCase())
  for (const [canary] of text.matchAll(/0193d1a2-cafe-7000-8000-\d{12}/gi)) found.add(canary.toLowerCase())
  for (const [canary] of text.matchAll(/\b19[5-6]\d-[01]\d-[0-3]\d/g)) found.add(canary)
  // Six digits and not part of an id, however people group them.
  for (const [canary] of text.matchAll(/(?<![\w.-])9\d\d[\u0020\u00a0\u202f,]?\d{3}(?![\d-])(?!\w)/g))
    found.add(canary.replaceAll(/\D/g, ''))
  const digits = text.replaceAll(/(?<=\d)[ .()-]+(?=\d)/g, '')
  for (const [canary] of digits.matchAll(/14268\d{4}/g)) found.add(canary)
  return found
}

/**
 * Values to try in a field, best first. The first one that the resource takes is the field's canary; of types with too few
 * values (a choice, yes or no, a reference) none can be told from another, and the name of the field has to do.
 */
export function candidatesFor(field: FieldModel, nth: number, pointsAt: string | undefined): readonly unknown[] {
  const word = `Zqk${four(nth)}`
  switch (field.type) {
    case 'text':
    case 'long':
    case 'auto-number':
      return [word, `0193d1a2-cafe-7000-8000-${String(nth).padStart(12, '0')}`]
    case 'rich':
      return [`<p>${word}</p>`]
    case 'email':
      return [`${word}@${word}.fr`.toLowerCase()]
    case 'phone':
      return [`+33 1 42 68 ${four(nth).slice(0, 2)} ${four(nth).slice(2)}`]
    case 'url':
      return [`https://${word.toLowerCase()}.fr/prix`]
    case 'integer':
    case 'duration':
      return [900_000 + nth, 1_900, 7]
    case 'decimal':
    case 'money':
      return [`${900_000 + nth}.25`, `${900_000 + nth}`]
    case 'percent':
      return ['37.5']
    case 'boolean':
      return [true]
    case 'date':
      return [day(nth)]
    case 'instant':
      return [`${day(nth)}T04:05:06.000Z`, '2027-03-04T05:06:07.000Z']
    case 'select':
      return (field.options ?? []).map(({ value }) => value)
    case 'multi-select':
      return [(field.options ?? []).slice(0, 1).map(({ value }) => value)]
    case 'address':
      return [{ line1: word, city: word }]
    case 'json':
      return [[word], { [word]: word }]
    default:
      return pointsAt === undefined ? [] : [pointsAt]
  }
}
