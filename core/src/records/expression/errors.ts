import { defineError } from '../../errors.ts'

/**
 * What can be wrong with an expression. `subject` is the field, function or word it is about, `found` what stands there,
 * `expected` what would do, `hint` a closest name or nothing; the translation selects its sentence by `kind`.
 */
export type ExpressionFault = {
  readonly kind: keyof typeof sentences
  readonly subject: string
  readonly found: string
  readonly expected: string
  readonly hint: string
}

type Facts = Omit<ExpressionFault, 'kind'>

const sentences = {
  unexpected: (it: Facts) => `${it.subject}: ${it.found} stands where ${it.expected} is expected.`,
  unclosedText: (it: Facts) => `${it.subject}: the text that begins here has no closing quote ${it.expected}.`,
  shape: (it: Facts) => `${it.subject} is not a part of an expression: ${it.found}`,
  unknownField: (it: Facts) => `${it.subject} has no field "${it.found}".${did(it)}`,
  notFollowed: (it: Facts) => `"${it.subject}" is a ${it.found} and holds no "${it.expected}" of its own.`,
  resourceAbsent: (it: Facts) => `"${it.subject}" leads to ${it.found}, which is not enabled here.`,
  several: (it: Facts) => `"${it.subject}" holds several records: ask with any(…), none(…), count(…) or sum(…).`,
  notSeveral: (it: Facts) => `"${it.subject}" is one value: ${it.found}(…) takes a collection.${did(it)}`,
  notSummed: (it: Facts) =>
    `"${it.subject}" is a ${it.found}: sum(…) takes a number of a collection, like "opportunities.amount".`,
  operator: (it: Facts) => `"${it.subject}" is not compared by "${it.found}". It takes ${it.expected}.`,
  value: (it: Facts) => `"${it.subject}" is compared with ${it.expected}, not with ${it.found}.`,
  option: (it: Facts) => `"${it.subject}" has no option "${it.found}". Its options are ${it.expected}.${did(it)}`,
  emptyText: (it: Facts) => `"${it.subject}" is compared with an empty text. Write "${it.subject} is empty".`,
  character: (it: Facts) => `"${it.subject}" is compared with a text that holds ${it.found}, which no record can hold.`,
  span: (it: Facts) => `"${it.found}" is not a span of time. ${it.expected}`,
}

function did(facts: Facts): string {
  return facts.hint ? ` Did you mean "${facts.hint}"?` : ''
}

/** Extras: `position` and `length` (UTF-16 units, from 0) when it came as text, `at` a JSON pointer into the JSON form. */
export const expressionInvalid = defineError<ExpressionFault>('EXPRESSION_INVALID', 400, (fault) =>
  sentences[fault.kind](fault),
)

export const expressionTooCostly = defineError<{ what: string; limit: number }>(
  'EXPRESSION_TOO_COSTLY',
  422,
  ({ what, limit }) => `The expression has more than ${limit} ${what}. Split it, or save a part of it as a list.`,
)

/** Also the answer to a sort, a group or a sum: any of them would tell the value. */
export const fieldNotReadable = defineError<{ resource: string; field: string }>(
  'FIELD_NOT_READABLE',
  403,
  ({ resource, field }) =>
    `You may not read "${field}" of ${resource}, so you cannot filter, sort, group or sum by it. Your administrator can grant it in Roles.`,
)
