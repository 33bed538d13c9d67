import { sql } from 'kysely'
import { pino } from 'pino'
import { createApp, type App } from '../src/app.ts'
import { discreet } from '../src/log.ts'
import { TestClock } from '../src/testing/index.ts'
import { makeTestDatabase, type TestDatabase } from '../src/testing/test-database.ts'

export const base = 'https://crm.example.com'
export const administrator = {
  email: 'claire@garonne.example',
  name: 'Claire Admin',
  password: 'Beside the quiet harbour',
}

interface Reply {
  readonly status: number
  // A test reads what it expects, and fails on what it does not find.
  readonly body: any
  readonly headers: Headers
}

/** Ends a test whose preparation failed, with what was answered. */
function demand({ status, body }: Reply, wanted: number): void {
  if (status !== wanted) throw new Error(`${status} instead of ${wanted}: ${JSON.stringify(body)}`)
}

/** A browser: it keeps cookies of our site and of the provider's, and goes where it is sent when told to. */
export class Browser {
  readonly #app: App
  readonly #jars = new Map<string, Map<string, string>>()

  constructor(app: App) {
    this.#app = app
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await this.go(new URL(path, base), {
      method,
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text, headers: response.headers }
  }

  /** One request with the cookies of its site; a redirect is answered, not followed. */
  async go(
    url: URL,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response> {
    const jar = this.#jars.get(url.host) ?? new Map<string, string>()
    this.#jars.set(url.host, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const request = new Request(url, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, ...(cookie === '' ? {} : { cookie }) },
    })
    const ours = url.origin === base
    const environment = { incoming: { socket: { remoteAddress: '192.0.2.1' } } }
    const response = ours ? await this.#app.fetch(request, environment) : await fetch(request)
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  /** Loses its cookies of a site that is not ours. */
  forget(site: string): void {
    this.#jars.delete(new URL(site).host)
  }

  cookie(name: string): string | undefined {
    return this.#jars.get(new URL(base).host)?.get(name)
  }

  set(name: string, value: string): void {
    this.#jars.get(new URL(base).host)?.set(name, value)
  }

  signIn({ email, password }: { email: string; password: string }): Promise<Reply> {
    return this.ask('POST', '/api/auth/sign-in/email', { email, password })
  }

  /** Begins at the sign-in page. Answers where the provider is. */
  async start(provider: string, more: object = {}): Promise<URL> {
    const begun = await this.ask('POST', '/api/auth/sign-on/start', { provider, ...more })
    demand(begun, 200)
    return new URL(begun.body.data.url)
  }

  /** What the page does to which the provider sent the browser back. */
  finish(provider: string, query: string): Promise<Reply> {
    return this.ask('POST', '/api/auth/sign-on/finish', { provider, query })
  }

  /** Who the session is, as the shell asks it. */
  async me(): Promise<Reply> {
    return this.ask('GET', '/api/core/shell')
  }
}

/** A whole platform that may speak to this machine, with one company and its administrator; it logs all it has to say. */
export class SignOnWorld {
  readonly app: App
  readonly clock: TestClock
  readonly lines: string[]
  /** What stands in the DNS, by name. */
  readonly texts: Map<string, string[]>
  /** Names of which no name server says anything. */
  unreachable!: Set<string>
  readonly #held: TestDatabase
  admin!: Browser
  workspace!: string

  private constructor(app: App, clock: TestClock, lines: string[], texts: Map<string, string[]>, held: TestDatabase) {
    this.app = app
    this.clock = clock
    this.lines = lines
    this.texts = texts
    this.#held = held
  }

  static async open(): Promise<SignOnWorld> {
    const held = await makeTestDatabase()
    const clock = new TestClock()
    const lines: string[] = []
    const texts = new Map<string, string[]>()
    const unreachable = new Set<string>()
    const app = await createApp({
      database: held.database,
      plugins: [],
      clock,
      log: pino({ level: 'trace', ...discreet }, { write: (line) => void lines.push(line) }),
      identity: { baseUrl: base },
      outgoing: { allowed: ['127.0.0.1'] },
      resolveTexts: async (name) => {
        if (unreachable.has(name)) throw Object.assign(new Error(`queryTxt ETIMEOUT ${name}`), { code: 'ETIMEOUT' })
        const found = texts.get(name)
        if (!found) throw Object.assign(new Error(`queryTxt ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
        return found.map((text) => [text.slice(0, 9), text.slice(9)])
      },
      ...(held.url === undefined ? {} : { databaseUrl: held.url }),
    })
    await app.start()
    const world = new SignOnWorld(app, clock, lines, texts, held)
    world.unreachable = unreachable
    const first = await app.identity.ensureFirstAdmin({ ...administrator, workspace: { name: 'Garonne' } })
    world.workspace = first!.workspace.id
    world.admin = world.browser()
    await world.enter(world.admin, administrator)
    return world
  }

  /** Lets the clock go with the world’s again, where providers of this machine live. */
  async rewind(): Promise<void> {
    this.clock.set(new Date())
    await sql`delete from core.sign_in_failure`.execute(this.owner)
    await this.enter(this.admin, administrator)
  }

  /** Signs in somebody who sits before it however far the clock goes. */
  async enter(browser: Browser, person: { email: string; password: string }): Promise<void> {
    await browser.signIn(person)
    await sql`
      update core.session set present_at = '2100-01-01' where user_id = (select id from core."user" where email = ${person.email})`.execute(
      this.owner,
    )
  }

  get owner() {
    return this.#held.database.owner
  }

  browser(): Browser {
    return new Browser(this.app)
  }

  /** A second company with an administrator of its own, who signs in by a password. */
  async company(name: string, email: string): Promise<{ workspace: string; admin: Browser }> {
    const password = 'Quite another harbour'
    const made = await this.admin.ask('POST', '/api/core/users', { name: 'To be moved', email, password })
    const user = String(made.body.data.id)
    const { id } = await this.app.identity.createWorkspace({ name }, { id: user, name: 'Another Admin', email })
    await sql`delete from core.member where workspace = ${this.workspace} and id = ${user}`.execute(this.owner)
    const admin = this.browser()
    await this.enter(admin, { email, password })
    return { workspace: id, admin }
  }

  async role(admin = this.admin, name = 'Member'): Promise<string> {
    const { body } = await admin.ask('GET', '/api/core/roles')
    return body.data.find((role: { name: string; id: string }) => role.name === name).id
  }

  /** A provider whose domains are proved. */
  async provider(values: object, admin = this.admin) {
    const made = await admin.ask('POST', '/api/core/identity-providers', values)
    demand(made, 201)
    return this.proved(made.body.data, admin)
  }

  async change(id: string, values: object, admin = this.admin): Promise<Reply> {
    const changed = await admin.ask('PATCH', `/api/core/identity-providers/${id}`, values)
    if (changed.status === 200 && 'domains' in values) await this.proved(changed.body.data, admin)
    return changed
  }

  /** Publishes what proves each domain of a provider, and lets it be looked at. */
  async proved(provider: any, admin = this.admin) {
    let shown = provider
    for (const { domain, name, value, isProved } of provider.proofs) {
      if (isProved) continue
      this.texts.set(name, [...(this.texts.get(name) ?? []), value])
      const checked = await admin.ask('POST', `/api/core/identity-providers/${provider.id}/check-domain`, { domain })
      demand(checked, 200)
      shown = checked.body.data
    }
    return shown
  }

  async close(): Promise<void> {
    await this.app.stop()
    await this.#held.drop()
  }
}
