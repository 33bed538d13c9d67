import { defineError, type ErrorFactory, type ProblemExtras, type SocleError } from '../errors.ts'
import { validationFailed } from '../records/errors.ts'

/** One code for every state machine, several reasons: `errors.TRANSITION_REFUSED` chooses its sentence by `why`. */
export function refuseTransition<V extends Readonly<Record<string, unknown>>>(
  why: string,
  sentence: (values: V) => string,
): ErrorFactory<V> {
  const factory = defineError<V & { why: string }>('TRANSITION_REFUSED', 409, sentence)
  return Object.assign((values: V, extras: ProblemExtras = {}) => factory({ ...values, why }, extras), {
    code: factory.code,
    status: factory.status,
  })
}

export const transitionRefused = refuseTransition<{ subject: string; from: string; to: string; next: string }>(
  'machine',
  ({ subject, from, to, next }) => `"${subject}" is ${from} and cannot become ${to}. From here it may become: ${next}.`,
)

export const leadAlreadyConverted = refuseTransition<{ name: string }>(
  'converted',
  ({ name }) => `"${name}" is converted already. Open what it became, or revert the conversion.`,
)

export const leadNotConverted = refuseTransition<{ name: string; status: string }>(
  'not_converted',
  ({ name, status }) => `"${name}" is ${status}, so there is no conversion to take back.`,
)

export const leadNeedsConversion = refuseTransition<{ name: string }>(
  'by_hand',
  ({ name }) =>
    `"${name}" becomes converted by converting it into an account or a contact, not by its status. Use Convert.`,
)

export const cycleRefused = defineError<{ of: 'account'; account: string; parent: string }>(
  'CYCLE_REFUSED',
  409,
  ({ account, parent }) =>
    `"${account}" cannot stand below "${parent}", which is itself or stands below it. Choose another parent.`,
)

export const hierarchyTooDeep = defineError<{ account: string; levels: number }>(
  'HIERARCHY_TOO_DEEP',
  409,
  ({ account, levels }) =>
    `"${account}" would make a hierarchy of ${levels} levels; at most 10 are kept. Choose a parent further up.`,
)

export const lifecycleReasonRequired = defineError<{ account: string; from: string; to: string }>(
  'LIFECYCLE_REASON_REQUIRED',
  422,
  ({ account, from, to }) => `"${account}" goes back from ${from} to ${to}: say why.`,
)

export const sirenInvalid = defineError<{ value: string }>(
  'SIREN_INVALID',
  422,
  ({ value }) =>
    `"${value}" is not a SIREN: nine digits whose checksum is right, such as 552 100 554. Check it against the Kbis.`,
)

export const siretInvalid = defineError<{ value: string }>(
  'SIRET_INVALID',
  422,
  ({ value }) =>
    `"${value}" is not a SIRET: fourteen digits, the first nine its SIREN, whose checksum is right. Check it against the Kbis.`,
)

export const siretOfOtherSiren = defineError<{ siret: string; siren: string }>(
  'SIRET_OF_OTHER_SIREN',
  422,
  ({ siret, siren }) =>
    `SIRET ${siret} belongs to SIREN ${siret.slice(0, 9)}, not ${siren}. Correct the one that is wrong.`,
)

export const vatNumberInvalid = defineError<{ value: string }>(
  'VAT_NUMBER_INVALID',
  422,
  ({ value }) =>
    `"${value}" is not a VAT number: a country's two letters, then its digits, such as FR 40 303 265 045. Check the key.`,
)

export const countryUnknown = defineError<{ value: string }>(
  'COUNTRY_UNKNOWN',
  422,
  ({ value }) => `"${value}" is not the two-letter code of a country, such as FR or BE.`,
)

export const currencyUnknown = defineError<{ value: string }>(
  'CURRENCY_UNKNOWN',
  422,
  ({ value }) => `"${value}" is not the three-letter code of a currency, such as EUR or CHF.`,
)

export const nameMissing = defineError<{ fields: string }>(
  'NAME_MISSING',
  422,
  ({ fields }) => `Give at least one of ${fields}, so that there is a name to show.`,
)

export const periodReversed = defineError<{ start: string; end: string }>(
  'PERIOD_REVERSED',
  422,
  ({ start, end }) => `The end ${end} is before the start ${start}. Move one of them.`,
)

export const referenceIncomplete = defineError<{ given: string; missing: string }>(
  'REFERENCE_INCOMPLETE',
  422,
  ({ given, missing }) => `${given} says nothing without ${missing}. Give both, or neither.`,
)

export const resourceUnknown = defineError<{ value: string }>(
  'RESOURCE_UNKNOWN',
  422,
  ({ value }) => `"${value}" is not a kind of record here, such as core.account.`,
)

export const referenceUnknown = defineError<{ resource: string; id: string }>(
  'REFERENCE_UNKNOWN',
  422,
  ({ resource, id }) => `There is no ${resource} "${id}" that you may see. Choose another record.`,
)

export const lineMoved = defineError<{ line: string }>(
  'LINE_MOVED',
  409,
  ({ line }) => `"${line}" stays on its document. Delete it here and add it there.`,
)

export const priceMissing = defineError<{ line: string; currency: string }>(
  'PRICE_MISSING',
  422,
  ({ line, currency }) => `"${line}" has no price in ${currency}. Give the line a unit price.`,
)

export const currencyInUse = defineError<{ number: string; currency: string }>(
  'CURRENCY_IN_USE',
  409,
  ({ number, currency }) =>
    `${number} has lines in ${currency}; its currency cannot change under them. Remove the lines first, or start a new one.`,
)

export const linesClosed = defineError<{ number: string; status: string }>(
  'LINES_CLOSED',
  409,
  ({ number, status }) =>
    `${number} is ${status}: its lines cannot change any more. Issue a credit note or place a new order instead.`,
)

export const invoiceEmpty = defineError<{ number: string }>(
  'INVOICE_EMPTY',
  409,
  ({ number }) => `${number} has no line to invoice. Add one, then issue it.`,
)

export const invoiceFinal = defineError<{ number: string; status: string }>(
  'INVOICE_FINAL',
  409,
  ({ number, status }) => `${number} is ${status} and must be kept. Cancel it by a credit note instead.`,
)

export const invoiceNotPayable = defineError<{ number: string; status: string }>(
  'INVOICE_NOT_PAYABLE',
  409,
  ({ number, status }) =>
    `${number} is ${status} and takes no payment. Issue it first, or book the payment on another invoice.`,
)

export const creditNoteMissing = refuseTransition<{ number: string }>(
  'credit_note',
  ({ number }) => `${number} is issued: only a credit note cancels it. Use Cancel by credit note.`,
)

export const paymentStateDerived = refuseTransition<{ number: string; paid: string; gross: string }>(
  'payments',
  ({ number, paid, gross }) =>
    `${number} has ${paid} of ${gross} paid; its payment state follows from its payments. Add or remove a payment.`,
)

export const conversionTargetUnknown = defineError<{ target: string; known: string }>(
  'CONVERSION_TARGET_UNKNOWN',
  422,
  ({ target, known }) => `A lead cannot become "${target}" here. It can become: ${known}.`,
)

export const conversionEmpty = defineError<{ name: string }>(
  'CONVERSION_EMPTY',
  422,
  ({ name }) => `"${name}" must become an account, a contact or both. Choose one, or create it.`,
)

export const conversionDisagrees = defineError<{ contact: string; account: string }>(
  'CONVERSION_TARGETS_DISAGREE',
  422,
  ({ contact, account }) =>
    `Contact "${contact}" does not work at "${account}". Choose another contact, or the account the contact is at.`,
)

/** One rule a value breaks, as the write path answers it: `VALIDATION_FAILED` with the field and the rule's own code. */
export function refuseValue<V extends Readonly<Record<string, unknown>>>(
  path: string,
  factory: ErrorFactory<V>,
  values: V,
): SocleError {
  const { code, message: detail } = factory(values)
  return validationFailed({ count: 1, first: detail }, { errors: [{ path, code, detail, values }] })
}

export const rateLimited = defineError<{ limit: number }>(
  'RATE_LIMITED',
  429,
  ({ limit }) => `You have asked as often as is allowed, ${limit} times in a day. Ask again tomorrow.`,
)
