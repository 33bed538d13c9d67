import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { base32 } from '@better-auth/utils/base32'
import { createOTP } from '@better-auth/utils/otp'
import { sql } from 'kysely'
import pg from 'pg'
import { pino } from 'pino'
import { dateIn, type Clock } from '../src/clock.ts'
import { serverDatabase, type Database } from '../src/database/database.ts'
import { embeddedTestDatabase } from '../src/testing/test-database.ts'
import { migrate } from '../src/database/migrator.ts'
import { Signals } from '../src/database/signals.ts'
import { Outgoing } from '../src/http/outgoing.ts'
import { createIdentity, type Identity, type IdentityConfig } from '../src/identity/identity.ts'
import { Authorities } from '../src/permissions/authorities.ts'
import type { ResourceCatalog } from '../src/records/model.ts'
import { SocleError } from '../src/errors.ts'

/** Databases these tests run on: always the embedded one, a server's when one is given. */
export const kinds: readonly Database['kind'][] = process.env['TEST_DATABASE_URL'] ? ['postgres'] : ['pglite']

/** Milliseconds; the first embedded database of a process takes its time, longer on a busy machine. */
export const patience = 180_000

export class HandClock implements Clock {
  #now: Date

  constructor(now: string) {
    this.#now = new Date(now)
  }

  now(): Date {
    return this.#now
  }

  today(zone: string): string {
    return dateIn(zone, this.#now)
  }

  advance(seconds: number): void {
    this.#now = new Date(this.#now.getTime() + seconds * 1_000)
  }
}

/** An empty database with the core's tables; a server's is made for the caller and dropped when it is closed. */
export async function emptyDatabase(kind: Database['kind']): Promise<Database> {
  const database = kind === 'pglite' ? await embeddedTestDatabase() : await serverCopy()
  await migrate(database.owner, 'core', join(import.meta.dirname, '../migrations'))
  return database
}

async function serverCopy(): Promise<Database> {
  const server = process.env['TEST_DATABASE_URL']!
  const name = `socle_test_${randomUUID().replaceAll('-', '')}`
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: server })
    await client.connect()
    await client.query(statement)
    await client.end()
  }
  await admin(`create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const database = await serverDatabase(url.href, { connections: 4 })
  return {
    ...database,
    close: async () => {
      await database.close()
      await admin(`drop database ${name} with (force)`)
    },
  }
}

export const anna = { email: 'anna@example.com', name: 'Anna Lefèvre', password: 'three plain words' }

/** Sign-in without the HTTP host around it: the requests go straight in. */
export class IdentityWorld {
  readonly database: Database
  readonly clock: HandClock
  readonly signals: Signals
  authorities!: Authorities
  identity!: Identity
  workspace!: string
  anna!: string

  constructor(database: Database) {
    this.database = database
    this.clock = new HandClock('2026-03-02T09:00:00Z')
    this.signals = new Signals(database)
  }

  static async open(
    kind: Database['kind'],
    config: Partial<IdentityConfig> = {},
    catalog: ResourceCatalog = new Map(),
  ): Promise<IdentityWorld> {
    const world = new IdentityWorld(await emptyDatabase(kind))
    await world.start(config, catalog)
    const first = await world.identity.ensureFirstAdmin({
      ...anna,
      workspace: { name: 'Maison Garonne', locale: 'fr' },
    })
    world.workspace = first!.workspace.id
    world.anna = first!.user
    return world
  }

  /** A process begins: nothing is kept but what the database holds. */
  async start(config: Partial<IdentityConfig> = {}, catalog: ResourceCatalog = new Map()): Promise<void> {
    const log = pino({ level: 'silent' })
    const { database, clock, signals } = this
    this.authorities = new Authorities({ database, clock, log, signals, catalog: () => catalog })
    this.identity = await createIdentity({
      database,
      clock,
      log,
      signals,
      authorities: this.authorities,
      outgoing: new Outgoing(),
      letIn: () => Promise.reject(new Error('Providers are tested with a whole platform around them.')),
      asPerson: () => Promise.reject(new Error('Viewing as others is tested with a whole platform around it.')),
      useLink: () => Promise.reject(new Error('Links are tested with a whole platform around them.')),
      config: { baseUrl: 'http://localhost:3000', ...config },
    })
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}, address?: string): Promise<Response> {
    return this.send('POST', path, body, headers, address)
  }

  send(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
    address = '192.0.2.1',
  ): Promise<Response> {
    const request = new Request(`http://localhost:3000${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return this.identity.handler(request, { address }).catch(asProblem)
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send('GET', path, undefined, headers)
  }

  signIn(
    credentials: { email: string; password: string } = anna,
    address?: string,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.post(
      '/api/auth/sign-in/email',
      { email: credentials.email, password: credentials.password },
      headers,
      address,
    )
  }

  /** The workspace's setting, past its screen, which has its own tests. */
  async demandSecondFactor(secondFactor: 'optional' | 'required'): Promise<void> {
    await sql`update core.workspace set second_factor = ${secondFactor}`.execute(this.database.owner)
    this.signals.send({ kind: 'permissions' })
  }

  /** The cookie of a fresh session, as a browser sends it back. */
  async cookie(credentials?: { email: string; password: string }): Promise<string> {
    return cookieOf(await this.signIn(credentials))
  }

  resolve(headers: Record<string, string>, { method = 'GET', address = '192.0.2.1' } = {}) {
    return this.identity.resolve(new Request('http://localhost:3000/api/core/shell', { method, headers }), { address })
  }

  async close(): Promise<void> {
    this.identity.close()
    this.authorities.close()
    await this.signals.stop()
    await this.database.close()
  }
}

/** What an authenticator app shows at this moment. */
export async function codeOf(secret: string, clock: Clock): Promise<string> {
  const step = Math.floor(clock.now().getTime() / 30_000)
  return createOTP(new Uint8Array(base32.decode(secret))).hotp(step)
}

/** What an answer carries. */
export async function dataOf<T>(answer: Response): Promise<T> {
  return ((await answer.json()) as { data: T }).data
}

export function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

/** What the host answers to a refusal, in English. */
function asProblem(error: unknown): Response {
  if (!(error instanceof SocleError)) throw error
  const { retryAfter } = error.extras as { retryAfter?: number }
  const headers = {
    'content-type': 'application/problem+json',
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  }
  const problem = {
    type: 'about:blank',
    title: error.code,
    status: error.status,
    code: error.code,
    detail: error.message,
    ...error.extras,
  }
  return new Response(JSON.stringify(problem), { status: error.status, headers })
}
