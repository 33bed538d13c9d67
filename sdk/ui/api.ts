import { locale } from './session.ts'
import type { FieldProblem, Problem } from './types.ts'
import { t } from './words.ts'

/** A refusal by the server in its own words, or a failure to reach it (`code` is `OFFLINE`, `status` 0). */
export class ProblemError extends Error {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly errors: readonly FieldProblem[]
  readonly raw: Problem

  constructor(problem: Problem) {
    super(problem.detail || problem.title)
    this.name = 'ProblemError'
    this.code = problem.code
    this.status = problem.status
    this.detail = problem.detail || problem.title
    this.errors = problem.errors ?? []
    this.raw = problem
  }

  /** What is wrong with one field, if the server named it. */
  at(path: string): string | undefined {
    return this.errors.find((it) => it.path.replace(/^\//, '') === path)?.detail
  }
}

export interface ApiOptions {
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  /** Version the change was made on; sent as `If-Match`. */
  readonly version?: number
}

/** What the server answered, with its headers beside (not part of the JSON). */
export type Answer<T> = T & { readonly headers: Headers }

async function call<T>(method: string, path: string, body: unknown, options: ApiOptions = {}): Promise<Answer<T>> {
  const headers = new Headers({ accept: 'application/json', 'accept-language': locale(), ...options.headers })
  if (options.version !== undefined) headers.set('if-match', `"${options.version}"`)
  const isForm = body instanceof FormData || body instanceof Blob
  if (body !== undefined && !isForm) headers.set('content-type', 'application/json')
  const payload = body === undefined ? undefined : isForm ? body : JSON.stringify(body)
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (payload !== undefined) init.body = payload
  if (options.signal) init.signal = options.signal

  const response = await fetch(path, init).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause
    throw new ProblemError({ title: t('kit.api.offline'), status: 0, code: 'OFFLINE', detail: t('kit.api.offline') })
  })
  const isJson = response.status !== 204 && (response.headers.get('content-type')?.includes('json') ?? false)
  const content: unknown = isJson ? await response.json() : undefined
  if (!response.ok) {
    const problem = problemOf(response, content)
    // The session ended under an open tab: whoever keeps it shows the sign-in.
    if (problem.code === 'NOT_SIGNED_IN') window.dispatchEvent(new Event('socle-signed-out'))
    // The page shows what somebody else sees, and may no longer.
    if (problem.code === 'VIEW_AS_ENDED') location.assign('/')
    if (problem.code === 'CONFIRMATION_NEEDED' && (await isConfirmed())) return call(method, path, body, options)
    throw new ProblemError(problem)
  }
  // Not enumerable: spreading or storing an answer gives the JSON alone.
  return Object.defineProperty((content ?? {}) as object, 'headers', { value: response.headers }) as Answer<T>
}

/** Whoever keeps the session asks them to show that it is them, where there is somebody to ask. */
function isConfirmed(): Promise<boolean> {
  return new Promise((detail) => {
    if (window.dispatchEvent(new CustomEvent('socle-confirm', { detail, cancelable: true }))) detail(false)
  })
}

function problemOf(response: Response, content: unknown): Problem {
  if (content && typeof content === 'object' && 'code' in content) {
    return { status: response.status, title: '', detail: '', ...content } as Problem
  }
  const sentence = t('kit.api.failed', { status: response.status })
  return { title: sentence, status: response.status, code: 'HTTP_ERROR', detail: sentence }
}

/** JSON over HTTP; every refusal is thrown as a `ProblemError`. */
export const api = {
  get: <T = unknown>(path: string, options?: ApiOptions) => call<T>('GET', path, undefined, options),
  post: <T = unknown>(path: string, body?: unknown, options?: ApiOptions) => call<T>('POST', path, body, options),
  put: <T = unknown>(path: string, body?: unknown, options?: ApiOptions) => call<T>('PUT', path, body, options),
  patch: <T = unknown>(path: string, body?: unknown, options?: ApiOptions) => call<T>('PATCH', path, body, options),
  delete: <T = unknown>(path: string, body?: unknown, options?: ApiOptions) => call<T>('DELETE', path, body, options),
}
