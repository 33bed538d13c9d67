/** One place a request went wrong: `path` is a JSON pointer into the body or the name of a query parameter. */
export interface FieldFault {
  readonly path: string
  readonly code: string
  readonly detail: string
  /**
   * Values the detail was built from, so that it can be said again in the actor's language by `errors.<code>`. They are not
   * answered; without them the detail stands as it is.
   */
  readonly values?: Readonly<Record<string, unknown>>
}

/** What a refusal may carry beside its sentence; every key is answered in the problem document (RFC 9457). */
export interface ProblemExtras {
  readonly errors?: readonly FieldFault[]
  readonly [member: string]: unknown
}

/** A refusal the caller can act on: a code, a status and a sentence that names the value and the way out. */
export class SocleError extends Error {
  readonly code: string
  readonly status: number
  /** Values the sentence was built from, so that it can be said again in the actor's language. */
  readonly values: Readonly<Record<string, unknown>>
  readonly extras: ProblemExtras

  constructor(
    code: string,
    status: number,
    sentence: string,
    values: Readonly<Record<string, unknown>> = {},
    extras: ProblemExtras = {},
  ) {
    super(sentence)
    this.name = 'SocleError'
    this.code = code
    this.status = status
    this.values = values
    this.extras = extras
  }
}

/** Makes one kind of refusal. Its factory takes the values the sentence needs, and extras for the problem document. */
export interface ErrorFactory<V extends Readonly<Record<string, unknown>>> {
  (values: V, extras?: ProblemExtras): SocleError
  readonly code: string
  readonly status: number
}

/**
 * Declares a refusal: an UPPER_SNAKE code, an HTTP status and its English sentence.
 *
 * The sentence in another language is the translation key `errors.<CODE>`, an ICU message over the same values.
 */
export function defineError<V extends Readonly<Record<string, unknown>> = Record<string, never>>(
  code: string,
  status: number,
  sentence: (values: V) => string,
): ErrorFactory<V> {
  const factory = (values: V, extras: ProblemExtras = {}) =>
    new SocleError(code, status, sentence(values), values, extras)
  return Object.assign(factory, { code, status })
}
