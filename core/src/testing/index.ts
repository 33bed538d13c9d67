import { createHmac, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { multistream, pino, type Level, type Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { z } from 'zod'
import type { Locale, Workspace } from '../actor.ts'
import { createApp, type App } from '../app.ts'
import type { Context } from '../context.ts'
import type { EventDefinition, StoredEvent } from '../events/event.ts'
import { sessionCookie } from '../identity/sign-in.ts'
import { discreet } from '../log.ts'
import type { FieldGrant, Grant } from '../permissions/grant.ts'
import { partsOfPermission } from '../permissions/named-permission.ts'
import type { PluginDefinition } from '../plugins/define-plugin.ts'
import type { IncidentKind } from '../plugins/incidents.ts'
import type { PluginSource } from '../plugins/plugin-source.ts'
import type { StoreOptions } from '../plugins/store/plugin-store.ts'
import { TestClient } from './test-client.ts'
import { TestClock } from './test-clock.ts'
import { makeTestDatabase, type TestDatabase } from './test-database.ts'

export { TestClient, type TestAnswer } from './test-client.ts'
export { TestClock } from './test-clock.ts'
export { makeTestDatabase, type TestDatabase } from './test-database.ts'

export interface TestAppOptions {
  readonly plugins?: readonly (PluginDefinition | PluginSource)[]
  /** Instant at which the clock stands. */
  readonly now?: string
  /** A database of its own instead of a workspace in the process's shared one. */
  readonly database?: TestDatabase
  /** Plugins that are on from the start; all of them when absent. */
  readonly enable?: readonly string[]
  readonly locale?: Locale
  /** Seconds that work of a plugin may still take when it is switched off. */
  readonly drainSeconds?: number
  /** Seconds that code of plugins may take for one request, 30 when absent. */
  readonly unitSeconds?: number
  /** Starts without any plugin, whatever is installed. */
  readonly safeMode?: boolean
  /** What reads the figures of the process; closed when absent. */
  readonly metricsToken?: string
  /** Where archives are unpacked, and whose are taken. */
  readonly store?: StoreOptions
  /** Where the platform logs instead of to `logged`. */
  readonly log?: Logger
}

/** A fault of a plugin, as its card would tell it. */
export interface TestIncident {
  readonly plugin: string
  readonly kind: IncidentKind
  readonly code: string
  readonly detail: string
  readonly count: number
}

/** Who a test acts as. */
export interface TestActor {
  /** Permissions with full reach: `core.account.read`. */
  readonly may?: readonly string[]
  readonly grants?: readonly Grant[]
  readonly fields?: readonly FieldGrant[]
  /** Ids of teams the user is in; the first is the home team. */
  readonly teams?: readonly string[]
  readonly locale?: Locale
  readonly name?: string
  /** Partners the user stands for, their own first; one of the house when absent. */
  readonly partners?: readonly string[]
}

export interface TestWorkspace {
  readonly workspace: Workspace
  /** May do everything in this workspace. */
  readonly admin: TestClient
  /** A user with a role of exactly these rights. */
  as(actor: TestActor): Promise<TestClient>
  /** What was told here of an event, oldest first; what was not committed was never told. */
  told<P extends z.ZodType>(event: EventDefinition<P>): Promise<readonly StoredEvent<z.output<P>>[]>
  /** What plugins failed at here, and at starting. */
  incidents(): Promise<readonly TestIncident[]>
  /** One unit of work as the platform, for arranging and looking. */
  inside<T>(work: (ctx: Context) => Promise<T>): Promise<T>
}

export interface TestApp extends TestWorkspace, AsyncDisposable {
  readonly app: App
  readonly clock: TestClock
  /** Lines of the log since it started, from the level `info` on: `{ plugin: 'loans', msg: 'a piece is missing' }`. */
  readonly logged: readonly Readonly<Record<string, unknown>>[]
  /** Delivers every event that is due, and what their handlers tell, until nothing is. */
  deliver(): Promise<void>
  /** Another company in the same installation. */
  secondWorkspace(): Promise<TestWorkspace>
}

// One database serves all apps of a test process that have the same plugins: a workspace of its own is what keeps two
// companies apart in production too, and opening one takes milliseconds.
let shared: Promise<TestDatabase> | undefined

/**
 * A platform in this process on a real database (PGlite, or PostgreSQL with `TEST_DATABASE_URL`), reached over HTTP.
 *
 * @example
 * await using app = await createTestApp({ plugins: [loansPlugin], now: '2026-03-02T09:00:00Z' })
 */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { database, url } = options.database ?? (await (shared ??= makeTestDatabase()))
  const clock = new TestClock(options.now ?? new Date())
  const plugins = options.plugins ?? []
  const logged: Readonly<Record<string, unknown>>[] = []
  const app = await createApp({
    database,
    plugins,
    clock,
    log: options.log ?? logInto(logged),
    identity: { baseUrl, secret },
    ...(options.drainSeconds === undefined ? {} : { drainSeconds: options.drainSeconds }),
    ...(options.unitSeconds === undefined ? {} : { unitSeconds: options.unitSeconds }),
    ...(options.safeMode === undefined ? {} : { safeMode: options.safeMode }),
    ...(options.metricsToken === undefined ? {} : { metricsToken: options.metricsToken }),
    ...(options.store ? { store: options.store } : {}),
    ...(url === undefined ? {} : { databaseUrl: url }),
  })
  const enable = options.enable ?? plugins.map(({ id }) => id)
  const open = async (): Promise<TestWorkspace> => {
    const slug = `test-${randomBytes(6).toString('hex')}`
    const workspace = await app.identity.createWorkspace({
      name: 'Acme Distribution',
      slug,
      locale: options.locale ?? 'en',
    })
    for (const id of enable) await app.toggle.enable(workspace, id, undefined)
    const as = (actor: TestActor) => signIn(app, workspace, actor)
    return {
      workspace,
      admin: await as({
        name: 'Claire Admin',
        grants: [{ resource: '*', action: '*', visibility: 'all' }],
        ...(options.locale ? { locale: options.locale } : {}),
      }),
      as,
      told: (event) => toldIn(app, workspace, event),
      incidents: () => incidentsIn(app, workspace),
      inside: (work) => app.kernel.asSystem(workspace, { origin: 'test' }, work),
    }
  }
  const first = await open()
  return {
    ...first,
    app,
    clock,
    logged,
    deliver: () => app.deliveries.runUntilIdle(),
    secondWorkspace: open,
    [Symbol.asyncDispose]: () => app.stop(),
  }
}

/** Keeps lines to be read, and says them too where `LOG_LEVEL` asks for it. */
function logInto(logged: Readonly<Record<string, unknown>>[]): Logger {
  const level = process.env['LOG_LEVEL']
  const kept = { level: 'info', stream: { write: (line: string) => void logged.push(JSON.parse(line)) } } as const
  const said = level === undefined || level === 'silent' ? [] : [{ level: level as Level, stream: process.stdout }]
  return pino(
    { level: level === 'debug' || level === 'trace' ? level : 'info', ...discreet },
    multistream([kept, ...said]),
  )
}

async function toldIn<P extends z.ZodType>(
  app: App,
  workspace: Workspace,
  { name, version }: EventDefinition<P>,
): Promise<readonly StoredEvent<z.output<P>>[]> {
  const { rows } = await sql<StoredEvent<z.output<P>> & { changeSet: string | null }>`
    select id, name, version, key, payload, change_set as "changeSet", to_json(at) #>> '{}' as at from core.event
    where workspace = ${workspace.id}::uuid and name = ${name} and version = ${version} order by seq`.execute(
    app.kernel.parts.database.owner,
  )
  return rows.map(({ changeSet, ...event }) =>
    changeSet === null ? event : { ...event, changeSet },
  ) as readonly StoredEvent<z.output<P>>[]
}

async function incidentsIn(app: App, workspace: Workspace): Promise<readonly TestIncident[]> {
  const ours = app.kernel.parts.plugins.map(({ id }) => id)
  const { rows } = await sql<TestIncident>`
    select plugin, kind, code, detail, count from core.plugin_incident
    where workspace = ${workspace.id}::uuid or (workspace is null and plugin = any(${ours}::text[]))
    order by first_at, id`.execute(app.kernel.parts.database.owner)
  return rows
}

const secret = 'a secret of tests only, at least 32 long'
const baseUrl = 'http://localhost'

/** Makes a member with a role of its own and a session, straight in the tables: signing in has its own tests. */
async function signIn(app: App, workspace: Workspace, actor: TestActor): Promise<TestClient> {
  const user = uuidv7()
  const role = uuidv7()
  const token = randomBytes(24).toString('base64url')
  const name = actor.name ?? 'Test Person'
  const locale = actor.locale ?? 'en'
  const email = `${user}@example.com`
  const grants = [
    ...(actor.grants ?? []),
    ...(actor.may ?? []).map((permission) => ({ ...partsOfPermission(permission), visibility: 'all' })),
  ]
  // Long before and after, so that a test may move its clock by years.
  const [since, until] = ['2000-01-01', '2100-01-01']
  await app.kernel.parts.database.owner.transaction().execute(async (tx) => {
    await sql`insert into core."user" (id, name, email) values (${user}, ${name}, ${email})`.execute(tx)
    await sql`
      insert into core.member (id, workspace, name, email, locale, team, partner, partners)
      values (${user}, ${workspace.id}, ${name}, ${email}, ${locale}, ${actor.teams?.[0] ?? null},
        ${actor.partners?.[0] ?? null}, ${JSON.stringify(actor.partners ?? [])}::jsonb)`.execute(tx)
    await sql`
      insert into core.role (id, workspace, name, grants, fields)
      values (${role}, ${workspace.id}, ${`Role of ${user}`}, ${JSON.stringify(grants)}::jsonb, ${JSON.stringify(actor.fields ?? [])}::jsonb)`.execute(
      tx,
    )
    await sql`insert into core.role_assignment (id, workspace, role_id, user_id) values (${uuidv7()}, ${workspace.id}, ${role}, ${user})`.execute(
      tx,
    )
    for (const team of actor.teams ?? []) {
      await sql`insert into core.team_member (id, workspace, team, user_id, from_date) values (${uuidv7()}, ${workspace.id}, ${team}, ${user}, ${since})`.execute(
        tx,
      )
    }
    await sql`insert into core.session (id, user_id, token, expires_at, present_at, workspace) values (${uuidv7()}, ${user}, ${token}, ${until}, ${until}, ${workspace.id})`.execute(
      tx,
    )
  })
  const signature = createHmac('sha256', secret).update(token).digest('base64')
  return new TestClient(
    app,
    { actor: { type: 'user', id: user, name, locale }, workspace },
    {
      cookie: `${sessionCookie(baseUrl)}=${encodeURIComponent(`${token}.${signature}`)}`,
      origin: baseUrl,
      'accept-language': locale,
    },
  )
}
