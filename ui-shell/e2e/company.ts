import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import type { Browser } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { openBrowser } from './chromium.ts'

/** Cookies and local storage of somebody who signed in. */
export type SignedIn = Awaited<ReturnType<Awaited<ReturnType<Browser['newContext']>>['storageState']>>

/** The running platform as every test file finds it. */
export interface Company {
  readonly url: string
  /** Port at which it looks for a name server. */
  readonly names: number
  readonly admin: { readonly name: string; readonly email: string; readonly password: string }
  /** Both may do everything; Claire reads English, Camille French. */
  readonly people: { readonly claire: SignedIn; readonly camille: SignedIn }
}

declare module 'vitest' {
  interface ProvidedContext {
    company: Company
  }
}

const repository = resolve(import.meta.dirname, '../..')
const admin = { name: 'Claire Martin', email: 'claire@example.com', password: 'Beside the quiet harbour' }

/** Starts what `npm start` starts, once for the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { company, end } = await startCompany('examples/company/start.ts')
  project.provide('company', company)
  return end
}

/** Runs a deployment on a free port, with demonstration data and a database of its own. */
export async function startCompany(start: string): Promise<{ company: Company; end: () => Promise<void> }> {
  const undo: (() => Promise<unknown>)[] = []
  const end = async () => {
    for (const step of undo.toReversed()) await step()
  }
  try {
    const data = await mkdtemp(join(tmpdir(), 'socle-e2e-'))
    undo.push(() => rm(data, { recursive: true, force: true }))
    const database = await makeDatabase(undo)
    const port = await freePort()
    const names = await freePort()
    const server = spawn(join(repository, 'node_modules/.bin/node'), ['--conditions=socle-source', start], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: String(port),
        SOCLE_DATA: data,
        SOCLE_DEMO: '1',
        SOCLE_ADMIN_EMAIL: admin.email,
        SOCLE_ADMIN_PASSWORD: admin.password,
        // Identity providers of tests run on this machine.
        SOCLE_OUTGOING_ALLOWED: '127.0.0.1',
        SOCLE_DNS_SERVERS: `127.0.0.1:${names}`,
        LOG_LEVEL: 'warn',
        ...(database && { DATABASE_URL: database }),
      },
    })
    undo.push(() => stopped(server))
    await listening(server)
    const url = `http://localhost:${port}`
    const people = await signInEverybody(url)
    return { company: { url, names, admin, people }, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** A database on the server of `TEST_DATABASE_URL`; without it the platform opens its embedded one. */
async function makeDatabase(undo: (() => Promise<unknown>)[]): Promise<string | undefined> {
  const server = process.env['TEST_DATABASE_URL']
  if (!server) return undefined
  const name = `socle_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  await onServer(server, `create database ${name}`)
  undo.push(() => onServer(server, `drop database if exists ${name} with (force)`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

// The sign-in accepts only the address the server was told: the port must be known before it starts.
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise((done) => probe.close(done))
  return typeof address === 'object' && address ? address.port : 0
}

async function listening(server: ChildProcess): Promise<void> {
  let said = ''
  await new Promise<void>((done, fail) => {
    const hear = (part: Buffer) => {
      said += part.toString()
      if (said.includes('Socle listens on')) done()
    }
    server.stdout?.on('data', hear)
    server.stderr?.on('data', hear)
    server.once('exit', (code) => fail(new Error(`The platform ended with ${code} before it listened:\n${said}`)))
  })
  for (const stream of [server.stdout, server.stderr]) {
    if (!stream) continue
    stream.removeAllListeners('data')
    createInterface(stream).on('line', (line) => {
      if (process.env['SHOW_SERVER'] || isError(line)) process.stderr.write(`${line}\n`)
    })
  }
}

/** What it says of its work is of use only to whoever asks; an error tells why a test failed. */
function isError(line: string): boolean {
  return /^\{"level":[56]0,/.test(line) || !line.startsWith('{')
}

async function stopped(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return
  const end = new Promise((done) => server.once('exit', done))
  server.kill('SIGTERM')
  await end
}

async function signInEverybody(url: string): Promise<Company['people']> {
  const browser = await openBrowser()
  try {
    const context = await browser.newContext({ baseURL: url, locale: 'en-GB', extraHTTPHeaders: { origin: url } })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await page.goto('/')
    await page.getByLabel('E-mail').fill(admin.email)
    await page.getByLabel('Password', { exact: true }).fill(admin.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: /^Hello/ }).waitFor()
    const claire = await context.storageState()
    const roles = await context.request.get('/api/core/roles')
    const [role] = ((await roles.json()) as { data: { id: string }[] }).data
    const email = 'camille@example.com'
    const invited = await context.request.post('/api/core/users', {
      data: { name: 'Camille Roussel', email, locale: 'fr', roles: [role?.id] },
    })
    const { password } = (await invited.json()) as { password: string }
    await context.close()
    const other = await browser.newContext({ baseURL: url, extraHTTPHeaders: { origin: url } })
    const answer = await other.request.post('/api/auth/sign-in/email', { data: { email, password } })
    if (!answer.ok()) throw new Error(`Camille could not sign in: ${answer.status()} ${await answer.text()}`)
    return { claire, camille: await other.storageState() }
  } finally {
    await browser.close()
  }
}
