import type { Logger } from 'pino'
import type { Locale } from '../actor.ts'
import { isCollision } from '../database/collision.ts'
import { isDatabaseAway, isOfNul } from '../database/database-error.ts'
import { defineError, SocleError } from '../errors.ts'
import type { Words } from '../words.ts'

export const routeNotFound = defineError<{ method: string; path: string }>(
  'ROUTE_NOT_FOUND',
  404,
  ({ method, path }) => `There is no ${method} ${path}. The routes stand in /api/core/reference.`,
)

/** What is wrong with a body, before anybody looks at what it asks for. */
type BodyFault = 'syntax' | 'kind' | 'prototype' | 'half' | 'encoding' | 'part_unnamed' | 'part_long' | 'broken_off'

const bodyFaults: Readonly<Record<BodyFault, (value: string) => string>> = {
  syntax: (value) => `it is not JSON: ${value}. Correct it there`,
  kind: (value) => `it is ${value} where a JSON object is expected. Send { … } as application/json`,
  prototype: () => 'it has a key "__proto__", which no record has. Take it out',
  half: (value) => `"${value}" holds half a character (a surrogate without its other half). Take it out`,
  encoding: () => 'it is not UTF-8. Send it in UTF-8',
  part_unnamed: () => 'a part of the form has no name. Name it',
  part_long: () => 'the head of a part is too long. Shorten it',
  broken_off: () => 'the form breaks off before its end. Send it whole',
}

/** @param value - what is at fault, where the reason names something */
export const bodyInvalid = defineError<{ reason: BodyFault; value: string }>(
  'BODY_INVALID',
  400,
  ({ reason, value }) => `The body cannot be read: ${bodyFaults[reason](value)}.`,
)

export const payloadTooLarge = defineError<{ limit: string }>(
  'PAYLOAD_TOO_LARGE',
  413,
  ({ limit }) => `The body is larger than ${limit}. Send less at once.`,
)

export const idempotencyKeyReused = defineError<{ key: string }>(
  'IDEMPOTENCY_KEY_REUSED',
  422,
  ({ key }) => `The Idempotency-Key "${key}" was used for another request. Use a new key for each different request.`,
)

export const secretShownOnce = defineError<{ key: string }>(
  'SECRET_SHOWN_ONCE',
  409,
  ({ key }) =>
    `The request with the Idempotency-Key "${key}" was done already, and the secret in its answer is shown once. If that answer was lost, make a new one with a new key.`,
)

const internalError = defineError<{ request: string }>(
  'INTERNAL_ERROR',
  500,
  ({ request }) =>
    `Something went wrong here, and nothing was changed. Try again; if it stays, tell your administrator the request id ${request}.`,
)

const databaseBusy = defineError(
  'DATABASE_UNAVAILABLE',
  503,
  () => 'The database does not answer, and nothing was changed. Try again in a moment.',
)

export const processBehind = defineError<{ generation: number }>(
  'PROCESS_BEHIND',
  503,
  ({ generation }) =>
    `This process has heard nothing for ten seconds and runs what was on at generation ${generation}. Ask another process; this one is ready again when it reaches the database.`,
)

export const processCrowded = defineError<{ seconds: number }>(
  'PROCESS_CROWDED',
  503,
  ({ seconds }) =>
    `Requests have taken all connections of this process to the database for ${seconds} s. Ask another process; DATABASE_CONNECTIONS says how many it has.`,
)

export const metricsClosed = defineError(
  'METRICS_CLOSED',
  401,
  () => 'The figures of this process take its token. Send the value of SOCLE_METRICS_TOKEN as a bearer token.',
)

const writesCollided = defineError(
  'WRITES_COLLIDED',
  503,
  () => 'Somebody else is changing the same records at this moment, and nothing of yours was kept. Send it again.',
)

const nulRefused = defineError(
  'NUL_REFUSED',
  422,
  () => 'A text of the request holds a NUL character, which no text may, and nothing was changed. Take it out.',
)

export const outgoingUrlInvalid = defineError<{ url: string }>(
  'OUTGOING_URL_INVALID',
  422,
  ({ url }) => `"${url}" is no address Socle fetches from. Write one that begins with https:// and names no user.`,
)

export const outgoingRefused = defineError<{ host: string }>(
  'OUTGOING_REFUSED',
  422,
  ({ host }) =>
    `${host} leads into a private network. Use a public address, or let the operator add its network to SOCLE_OUTGOING_ALLOWED.`,
)

/** What becomes of a request to somebody else's server. */
const failures: Readonly<Record<string, string>> = {
  name: 'is a name nobody knows',
  refused: 'takes no connection',
  late: 'did not answer in time',
  certificate: 'shows a certificate that is not valid',
  other: 'broke the connection off',
}

export const outgoingFailed = defineError<{ host: string; reason: string }>(
  'OUTGOING_FAILED',
  502,
  ({ host, reason }) =>
    `${host} ${failures[reason] ?? failures['other']}. Check the address and that the server is up, then try again.`,
)

export const outgoingTooLarge = defineError<{ host: string; most: number }>(
  'OUTGOING_TOO_LARGE',
  502,
  ({ host, most }) => `${host} answered more than ${most} bytes, which were not read. Check the address.`,
)

/** Titles of RFC 9110's statuses that refusals use. */
const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}

export interface ProblemContext {
  readonly words: Words
  readonly locale: Locale
  readonly request: string
  readonly path: string
}

/** A refusal as `application/problem+json` (RFC 9457), its sentence in the actor's language. */
export function problemBody(
  error: SocleError,
  { words, locale, request, path }: ProblemContext,
): Record<string, unknown> {
  const { errors } = error.extras
  return {
    type: `urn:socle:problem:${error.code}`,
    title: titles[error.status] ?? 'Error',
    status: error.status,
    code: error.code,
    detail: words.sentence(locale, error),
    instance: path,
    requestId: request,
    ...error.extras,
    ...(errors && { errors: errors.map((it) => words.fault(locale, it)) }),
  }
}

/** Any thrown thing as a response. What is nobody's refusal is logged with its stack and told without it. */
export function problemResponse(thrown: unknown, context: ProblemContext, log: Logger): Response {
  const error = asRefusal(thrown, context.request)
  if (error.status >= 500 && !told.has(error.code))
    log.error({ err: thrown, request: context.request, path: context.path }, 'a request failed')
  const retryAfter = error.extras['retryAfter']
  return new Response(JSON.stringify(problemBody(error, context)), {
    status: error.status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      ...(typeof retryAfter === 'number' ? { 'retry-after': String(retryAfter) } : {}),
    },
  })
}

/** Said once when it began, not with every request that meets it. */
const told: ReadonlySet<string> = new Set(['PLUGIN_QUARANTINED', 'PROCESS_BEHIND', 'SAFE_MODE'])

function asRefusal(thrown: unknown, request: string): SocleError {
  if (thrown instanceof SocleError) return thrown
  if (isOfNul(thrown)) return nulRefused({})
  if (isDatabaseAway(thrown)) return databaseBusy({}, { retryAfter: 2 })
  if (isCollision(thrown)) return writesCollided({}, { retryAfter: 1 })
  return internalError({ request })
}
