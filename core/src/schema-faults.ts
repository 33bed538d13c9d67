import type { z } from 'zod'
import type { FieldFault } from './errors.ts'

/** Most characters of a refused value that are quoted. */
const longestQuoted = 60

/** Places whose value is quoted to nobody: it opens something, or is too long to be read. */
const unquoted = /password|secret|token|key|code|certificate|xml|response|query/i

/** What a fault is said with: zod's own facts, and the refused value where it may be quoted. */
interface Facts {
  readonly [fact: string]: unknown
  readonly value?: string
  /** Whether there was a value at all, and whether it is quoted. */
  readonly given: 'quoted' | 'unquoted' | 'none'
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** What a form is called, and one that fits. */
const forms: Readonly<Record<string, string>> = {
  uuid: 'is no id. Give one as the API answers it, such as 01890a5d-ac96-774b-bcce-b302099a8057.',
  email: 'is no e-mail address. Write it as in name@example.com.',
  datetime: 'is no instant. Write it as in 2026-03-02T09:00:00Z.',
  date: 'is no day. Write it as in 2026-03-02.',
  url: 'is no address of the web. Write it as in https://example.com/.',
}

// In words of ours, as `errors.<CODE>` says them in other languages; any other code keeps zod's.
const sentences: Readonly<Record<string, (facts: Facts) => string>> = {
  invalid_type: (facts) => {
    const wanted = kinds[String(facts['expected'])] ?? `a value of type ${String(facts['expected'])}`
    return facts.given === 'none' ? `Missing. Give ${wanted}.` : `${told(facts)} is of another type. Give ${wanted}.`
  },
  invalid_format: (facts) => {
    const format = String(facts['format'])
    return `${told(facts)} ${forms[format] ?? `is not of the form expected (${String(facts['pattern'] ?? format)}). Write it in that form.`}`
  },
  invalid_value: (facts) => `${told(facts)} is not allowed here. Give one of ${String(facts['values'])}.`,
  invalid_union: (facts) => `${told(facts)} has none of the forms expected. The API reference shows them.`,
  unrecognized_keys: (facts) => `Unknown here: ${String(facts['keys'])}. Leave it out, or check how it is spelt.`,
  too_big: (facts) => {
    const most = String(facts['maximum'])
    if (facts['origin'] === 'string') return `${told(facts)} is longer than ${most} characters. Shorten it.`
    if (facts['origin'] === 'array') return `These are more than ${most} items. Send ${most} at most.`
    return `${told(facts)} is too large. Give ${most} at most.`
  },
  too_small: (facts) => {
    const least = String(facts['minimum'])
    if (facts['origin'] === 'string')
      return `${told(facts)} has fewer than ${least} characters. Write at least ${least}.`
    if (facts['origin'] === 'array') return `These are fewer than ${least} items. Send at least ${least}.`
    return `${told(facts)} is too small. Give at least ${least}.`
  },
}

/** What a schema refuses by a rule of ours, which names its own code: see `zone` of `identity/settings-values.ts`. */
const ruled: Readonly<Record<string, (facts: Facts) => string>> = {
  ZONE_UNKNOWN: (facts) => `${told(facts)} is no time zone. Give one by its IANA name, such as Europe/Paris.`,
  CURRENCY_UNKNOWN: (facts) => `${told(facts)} is no currency. Give its ISO 4217 code, such as EUR.`,
  SHARE_WITH_ONE: () => 'A share is for a person or for a team. Give either "user" or "team".',
  SPAN_BACKWARDS: (facts) => `${told(facts)} is before it begins. Give a "to" after "from".`,
}

const told = ({ value, given }: Facts) => (given === 'quoted' ? `"${value}"` : 'This value')

/**
 * What a schema refuses, place by place, with the value it refuses and the way out; `at` stands before each path. Codes are
 * zod's, in capitals.
 *
 * @param input - what was parsed
 */
export function schemaFaults(error: z.ZodError, input: unknown, at = ''): FieldFault[] {
  return error.issues.map(({ path, code, message, ...given }) => {
    const facts: Facts = { ...plain(given), ...quoted(input, path) }
    const { params } = given as { params?: { readonly code?: unknown } }
    const rule = code === 'custom' ? String(params?.code) : ''
    return {
      path: at && path.length === 0 ? at : `${at}/${path.map(String).join('/')}`,
      code: ruled[rule] ? rule : code.toUpperCase(),
      detail: (ruled[rule] ?? sentences[code])?.(facts) ?? message,
      values: facts,
    }
  })
}

function plain(facts: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [name, Array.isArray(fact) ? fact.map(String).join(', ') : fact]),
  )
}

function quoted(input: unknown, path: readonly PropertyKey[]): Pick<Facts, 'value' | 'given'> {
  const refused = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], input)
  if (refused === undefined) return { given: 'none' }
  const isPlain = refused === null || ['string', 'number', 'boolean'].includes(typeof refused)
  if (!isPlain || path.some((key) => unquoted.test(String(key)))) return { given: 'unquoted' }
  const text = String(refused)
  return { given: 'quoted', value: text.length > longestQuoted ? `${text.slice(0, longestQuoted)}…` : text }
}
