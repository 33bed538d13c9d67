import type { Context } from '../context.ts'
import type { GuardedWrite } from '../records/define-resource.ts'
import { SocleError } from '../errors.ts'
import { dots, maskedText } from '../records/mask.ts'
import type { RecordJson, ResourceRef } from '../records/records.ts'
import { currencies } from '../identity/settings-values.ts'
import { countryUnknown, currencyUnknown, periodReversed, refuseValue } from './errors.ts'
import { countryOfZone, isCountry, phoneNorm } from './phones.ts'

/** A field's text, undefined when it is empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Keeps the number that is dialled beside the number as typed. */
export function normalisePhone({ record, changed, set }: GuardedWrite, field: string, ctx: Context): void {
  if (!changed.has(field) && !changed.has('country')) return
  const typed = textOf(record[field])
  const country = textOf(record['country']) ?? countryOfZone(ctx.workspace.zone)
  set(`${field}Norm`, typed === undefined ? null : (phoneNorm(typed, country) ?? null))
}

/** One address is one text: people type the case of mail addresses as it comes. */
export function normaliseEmail({ record, changed, set }: GuardedWrite): void {
  const email = textOf(record['email'])
  if (changed.has('email') && email !== undefined) set('email', email.toLowerCase())
}

/** Capital letters, and a country that exists. */
export function normaliseCountry({ record, changed, set }: GuardedWrite): void {
  const country = textOf(record['country'])
  if (!changed.has('country') || country === undefined) return
  const code = country.toUpperCase()
  if (!isCountry(code)) throw refuseValue('/country', countryUnknown, { value: country })
  set('country', code)
}

/** The workspace's currency where none is given; else one that exists. */
export function normaliseCurrency({ record, changed, set }: GuardedWrite, ctx: Context): void {
  const currency = textOf(record['currency'])
  if (currency === undefined) return set('currency', ctx.workspace.baseCurrency)
  if (!changed.has('currency')) return
  const code = currency.toUpperCase()
  if (!currencies.has(code)) throw refuseValue('/currency', currencyUnknown, { value: currency })
  set('currency', code)
}

/** First and last name as one, else what stands in for them; an address only as its mask, because a name is read by more people. */
export function personName(
  record: Readonly<Record<string, unknown>>,
  ...others: readonly string[]
): string | undefined {
  const names = [textOf(record['firstName']), textOf(record['lastName'])].filter((part) => part !== undefined)
  if (names.length > 0) return names.join(' ')
  return others
    .map((field) => (field === 'email' ? maskedText('email', record[field]) : textOf(record[field])) ?? undefined)
    .find((value) => value !== undefined)
}

/** The record as the actor sees it; undefined when it does not exist for the actor. */
export async function found(ctx: Context, resource: ResourceRef, id: string): Promise<RecordJson | undefined> {
  try {
    return (await ctx.records.get(resource, id)).data
  } catch (error) {
    if (error instanceof SocleError && (error.status === 404 || error.status === 403)) return undefined
    throw error
  }
}

/** A value of a record that a guard was handed, for a sentence: what whoever asked may not read is dots. */
export function toldText(
  { records }: Context,
  resource: ResourceRef,
  record: Readonly<Record<string, unknown>>,
  field: string,
): string {
  return String(records.told(resource, record)[field] ?? dots)
}

/** The refusal of a record whose end is before its start. */
export function refusePeriod(
  ctx: Context,
  resource: ResourceRef,
  record: RecordJson,
  [start, end]: readonly [start: string, end: string],
): SocleError {
  return refuseValue(`/${end}`, periodReversed, {
    start: toldText(ctx, resource, record, start),
    end: toldText(ctx, resource, record, end),
  })
}
