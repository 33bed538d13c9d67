import type { App } from '../app.ts'
import type { Resolved } from '../identity/identity.ts'

export interface TestAnswer {
  readonly status: number
  // oxlint-disable-next-line no-explicit-any -- a test says what it expects of the body
  readonly body: any
  readonly headers: Headers
}

type Headers_ = Readonly<Record<string, string>>

/** Speaks HTTP to the app as one actor, without a socket. */
export class TestClient {
  readonly #app: App
  readonly #headers: Headers_
  readonly who: Pick<Resolved, 'actor' | 'workspace'>

  constructor(app: App, who: Pick<Resolved, 'actor' | 'workspace'>, headers: Headers_) {
    this.#app = app
    this.who = who
    this.#headers = headers
  }

  /** The same session, asked of another process. */
  at(app: App): TestClient {
    return new TestClient(app, this.who, this.#headers)
  }

  get(path: string, headers: Headers_ = {}): Promise<TestAnswer> {
    return this.send('GET', path, undefined, headers)
  }

  post(path: string, body: unknown = {}, headers: Headers_ = {}): Promise<TestAnswer> {
    return this.send('POST', path, body, headers)
  }

  put(path: string, body: unknown, headers: Headers_ = {}): Promise<TestAnswer> {
    return this.send('PUT', path, body, headers)
  }

  patch(path: string, body: unknown, headers: Headers_ = {}): Promise<TestAnswer> {
    return this.send('PATCH', path, body, headers)
  }

  delete(path: string, headers: Headers_ = {}): Promise<TestAnswer> {
    return this.send('DELETE', path, undefined, headers)
  }

  /** A string body goes as it is, so that malformed JSON can be sent; a stream as it comes. */
  async send(method: string, path: string, body: unknown, headers: Headers_ = {}): Promise<TestAnswer> {
    const response = await this.raw(method, path, body, headers)
    const text = await response.text()
    const json = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, body: json && text !== '' ? JSON.parse(text) : text, headers: response.headers }
  }

  raw(method: string, path: string, body?: unknown, headers: Headers_ = {}): Promise<Response> {
    const sent =
      body === undefined
        ? undefined
        : typeof body === 'string' || body instanceof FormData || body instanceof Blob || body instanceof ReadableStream
          ? body
          : JSON.stringify(body)
    return this.#app.fetch(
      new Request(new URL(path, 'http://localhost'), {
        method,
        // A stream is sent while it is read.
        ...(sent === undefined ? {} : { body: sent, duplex: 'half' }),
        headers: {
          ...(typeof sent === 'string' ? { 'content-type': 'application/json' } : {}),
          ...this.#headers,
          ...headers,
        },
      }),
    )
  }
}
