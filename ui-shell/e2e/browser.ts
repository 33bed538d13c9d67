import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { afterAll, expect, inject } from 'vitest'
import { openBrowser } from './chromium.ts'
import type { Company } from './company.ts'

export const company: Company = inject('company')

/** As long as a busy machine may take for one step. */
export const patience = 30_000

export interface VisitOptions {
  /** Who looks; `nobody` has not signed in. */
  readonly as?: 'claire' | 'camille' | 'nobody'
  readonly size?: { readonly width: number; readonly height: number }
  readonly theme?: 'light' | 'dark'
  /** What the browser asks for; by itself the person's language. */
  readonly locale?: string
  /** Which running platform; by itself the one of the run. */
  readonly at?: Company
  /** Readies the browser before its first page. */
  readonly prepare?: (context: BrowserContext) => Promise<void>
}

/** A browser of its own on one person's desk: cookies and storage are nobody else's. */
export interface Visit extends AsyncDisposable {
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser complained about: console messages, uncaught errors, violations of the content policy. */
  readonly complaints: readonly string[]
  /** Calls the API as this person. */
  readonly api: Api
  /** One more tab of the same browser. */
  tab(path: string): Promise<Page>
}

// One for a test file: a browser that dies takes no other file with it.
let shared: Promise<Browser> | undefined
afterAll(async () => (await shared)?.close())

/** Opens a page and waits until the shell says where it is. */
export async function visit(path: string, options: VisitOptions = {}): Promise<Visit> {
  const {
    as = 'claire',
    locale = as === 'camille' ? 'fr-FR' : 'en-GB',
    size = { width: 1440, height: 900 },
    theme = 'light',
    at = company,
    prepare,
  } = options
  const browser = await (shared ??= openBrowser())
  const context = await browser.newContext({
    baseURL: at.url,
    viewport: size,
    colorScheme: theme,
    reducedMotion: 'reduce',
    locale,
    timezoneId: 'Europe/Paris',
    ...(as === 'nobody' ? {} : { storageState: at.people[as] }),
  })
  context.setDefaultTimeout(patience)
  await prepare?.(context)
  const complaints: string[] = []
  await context.exposeBinding('complainOfPolicy', (_source, text: string) => complaints.push(text))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = `content policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`
      void (window as unknown as { complainOfPolicy(text: string): Promise<void> }).complainOfPolicy(report)
    })
  })
  const tab = async (to: string): Promise<Page> => {
    const page = await context.newPage()
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()} (${page.url()})`))
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`))
    await page.goto(to)
    await page.getByRole('heading', { level: 1 }).first().waitFor()
    return page
  }
  const page = await tab(path)
  return {
    context,
    page,
    complaints,
    api: apiOf(context, at.url),
    tab,
    async [Symbol.asyncDispose]() {
      // What a test answers in the server's place may be on its way still.
      for (const it of [context, ...context.pages()]) await it.unrouteAll({ behavior: 'ignoreErrors' })
      await context.close()
    },
  }
}

/** Opens a page as somebody new with these roles, let in by a colleague. */
export async function visitAsNewcomer(
  path: string,
  by: Api,
  {
    name,
    roles,
    locale = 'en',
    ...options
  }: VisitOptions & { readonly name: string; readonly roles: readonly string[]; readonly locale?: 'en' | 'fr' },
): Promise<Visit> {
  const email = `${uniqueName(name).replaceAll(' ', '-').toLowerCase()}@example.com`
  const { password } = await by.post<{ password: string }>('/api/core/users', { name, email, locale, roles })
  return visit(path, {
    ...options,
    as: 'nobody',
    async prepare(context) {
      const headers = { origin: company.url }
      const answer = await context.request.post('/api/auth/sign-in/email', { headers, data: { email, password } })
      if (!answer.ok()) throw new Error(`${name} could not sign in: ${await answer.text()}`)
    },
  })
}

/** A record as the API writes it. */
export interface Stored {
  readonly id: string
  readonly version: number
  readonly [field: string]: unknown
}

/** A file as a form sends it. */
export interface Upload {
  readonly name: string
  readonly mimeType: string
  readonly buffer: Buffer
}

/** What tests arrange and compare with, over HTTP and with the person's own rights. */
export interface Api {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
  patch<T>(path: string, body: unknown): Promise<T>
  delete(path: string): Promise<void>
  /** Sends a form with a file in it. */
  upload<T>(path: string, form: Readonly<Record<string, string | Upload>>): Promise<T>
  /** Makes a record and answers it. */
  create(path: string, values: Readonly<Record<string, unknown>>): Promise<Stored>
  record(path: string, id: string): Promise<Stored>
}

function apiOf(context: BrowserContext, origin: string): Api {
  const send = async <T>(method: string, path: string, body: object): Promise<T> => {
    const answer = await context.request.fetch(path, { method, headers: { origin }, ...body })
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`)
    return (answer.status() === 204 ? undefined : await answer.json()) as T
  }
  const call = <T>(method: string, path: string, data?: unknown) =>
    send<T>(method, path, data === undefined ? {} : { data })
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    patch: (path, body) => call('PATCH', path, body),
    delete: (path) => call('DELETE', path),
    upload: (path, multipart) => send('POST', path, { multipart }),
    create: async (path, values) => (await call<{ data: Stored }>('POST', path, values)).data,
    record: async (path, id) => (await call<{ data: Stored }>('GET', `${path}/${id}`)).data,
  }
}

/** Asks until the answer is the expected one. */
export function eventually<T>(ask: () => T | Promise<T>) {
  return expect.poll(ask, { timeout: patience, interval: 100 })
}

/** The message of the moment that says this. */
export function toast(page: Page, text: string | RegExp): Locator {
  return page.getByRole('region', { name: 'Notifications' }).getByRole('status').filter({ hasText: text })
}

/** Waits until nothing is being fetched, loaded or drawn any more. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(() => document.fonts.ready.then(() => undefined))
  const isBusy = () =>
    page.evaluate(() => {
      const busy = (root: ParentNode): boolean =>
        [...root.querySelectorAll('*')].some(
          (it) =>
            (it.matches('socle-skeleton, [aria-busy="true"], :not(:defined)') && it.checkVisibility()) ||
            (it.shadowRoot !== null && busy(it.shadowRoot)),
        )
      return busy(document)
    })
  // Twice in a row: an answer may bring the next question.
  let quiet = 0
  await eventually(async () => (quiet = (await isBusy()) ? 0 : quiet + 1)).toBeGreaterThanOrEqual(3)
}

/** Whether the keyboard is on this element, however deep in shadow roots. */
export function isFocused(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => element.matches(':focus'))
}

/** Something no other test is called. */
export function uniqueName(what: string): string {
  return `${what} ${crypto.randomUUID().slice(0, 8)}`
}
