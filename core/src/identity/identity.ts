import { sql } from 'kysely'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Actor, Workspace } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import type { Signals } from '../database/signals.ts'
import { SocleError } from '../errors.ts'
import { changesRights, type Authorities } from '../permissions/authorities.ts'
import type { Authority } from '../permissions/authority.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { validationFailed } from '../records/errors.ts'
import { addressList, clientAddress, type Peer } from './addresses.ts'
import { ApiKeys } from './api-keys.ts'
import { credentialsWrong, notSignedIn, noWorkspace, signInPathUnknown, workspaceNotYours } from './errors.ts'
import { demandSameOrigin } from './origin.ts'
import { demandPassword, hashPassword, longestPassword, passwordMatches } from './passwords.ts'
import { installationSecret } from './secret.ts'
import { Sessions, type Membership, type Session, type SignedIn } from './sessions.ts'
import { SignInDelay } from './sign-in-delay.ts'
import { authPath, sessionCookie, SignIn } from './sign-in.ts'
import {
  Workspaces,
  type FirstAdmin,
  type FirstAdminAnswer,
  type FirstPerson,
  type NewWorkspace,
} from './workspaces.ts'

export interface IdentityConfig {
  /** Address under which browsers reach this installation; `https:` makes cookies Secure. */
  readonly baseUrl: string
  /** What session cookies are signed with; kept in the database when absent. */
  readonly secret?: string
  /** Further origins whose pages may act in a session: `https://portal.example.com`. */
  readonly trustedOrigins?: readonly string[]
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[]
  /** Days a session lasts; 14 when absent. */
  readonly sessionDays?: number
}

export interface IdentityOptions {
  readonly database: Database
  readonly config: IdentityConfig
  readonly clock: Clock
  readonly log: Logger
  readonly authorities: Authorities
  readonly signals?: Signals
  /** Answers a refusal; the HTTP host's own, so that every refusal reads alike. */
  readonly problem?: (error: SocleError, request: Request) => Response | Promise<Response>
}

/** Who a request comes from, where, and with which rights. */
export interface Resolved {
  readonly actor: Actor
  readonly workspace: Workspace
  readonly authority: Authority
  /** Absent for an API key. */
  readonly session?: Session
  /** The member's e-mail address; absent for an API key. */
  readonly email?: string
  /** The user's own workspaces; empty for an API key. */
  readonly workspaces: readonly Workspace[]
}

/** Requests this answers itself, because they need the session or reach beyond one workspace. */
export const identityPaths: readonly string[] = [
  `${authPath}/*`,
  '/api/core/me/workspace',
  '/api/core/me/password',
  '/api/core/workspaces',
]

export interface Identity {
  /** Answers the requests of `identityPaths`. */
  handler(request: Request, peer?: Peer): Promise<Response>
  /**
   * Who acts. `undefined` when the request carries neither a session nor a key.
   *
   * @throws `SESSION_EXPIRED`, `API_KEY_…` (401), `WORKSPACE_NOT_YOURS`, `NO_WORKSPACE`, `ORIGIN_REFUSED` (403)
   */
  resolve(request: Request, peer?: Peer): Promise<Resolved | undefined>
  /** Makes the first administrator of an empty installation; undefined where there is a user already. */
  ensureFirstAdmin(admin: FirstAdmin): Promise<FirstAdminAnswer | undefined>
  createWorkspace(workspace: NewWorkspace, administrator?: FirstPerson): Promise<Workspace>
  /** Every workspace, oldest first; for jobs and the operator's commands. */
  workspaces(): Promise<Workspace[]>
  close(): void
}

const signInBody = z.object({
  email: z.string().max(254),
  password: z.string().max(longestPassword * 4),
  rememberMe: z.boolean().optional(),
})
const passwordBody = z.object({ currentPassword: z.string().max(1_000), newPassword: z.string().max(1_000) })
const switchBody = z.object({ workspace: z.string().max(100) })
const workspaceBody = z.object({
  name: z.string().trim().min(1).max(200),
  slug: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$/)
    .optional(),
  locale: z.enum(['en', 'fr']).optional(),
  zone: z
    .string()
    .refine((zone) => Intl.supportedValuesOf('timeZone').includes(zone) || zone === 'UTC')
    .optional(),
  baseCurrency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional(),
})

/** Minutes between two notes of when a member was last seen. */
const seenPrecision = 5

export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { database, config, clock, log } = options
  const secret = config.secret ?? (await installationSecret(database.owner, 'session'))
  return new IdentityService(options, {
    sessions: new Sessions({ owner: database.owner, clock, cookie: sessionCookie(config.baseUrl), secret }),
    signIn: new SignIn({
      owner: database.owner,
      clock,
      log,
      baseUrl: config.baseUrl,
      secret,
      sessionSeconds: (config.sessionDays ?? 14) * 86_400,
    }),
  })
}

class IdentityService implements Identity {
  readonly #options: IdentityOptions
  readonly #sessions: Sessions
  readonly #signIn: SignIn
  readonly #keys: ApiKeys
  readonly #delay: SignInDelay
  readonly #workspaces: Workspaces
  readonly #proxies: ReturnType<typeof addressList>
  readonly #stop: (() => void) | undefined
  readonly #seen = new Map<string, number>()

  constructor(options: IdentityOptions, { sessions, signIn }: { sessions: Sessions; signIn: SignIn }) {
    const { database, clock, config, signals } = options
    this.#options = options
    this.#sessions = sessions
    this.#signIn = signIn
    this.#keys = new ApiKeys({ owner: database.owner, clock })
    this.#delay = new SignInDelay(database.owner, clock)
    this.#workspaces = new Workspaces(database.owner, clock)
    this.#proxies = addressList(config.trustedProxies ?? [])
    this.#stop = signals?.on((signal) => {
      if (signal.kind !== 'permissions' && !changesRights(signal)) return
      this.#sessions.drop()
      this.#keys.drop()
    })
  }

  async handler(request: Request, peer: Peer = {}): Promise<Response> {
    try {
      return await this.#answer(request, peer)
    } catch (error) {
      if (!(error instanceof SocleError)) throw error
      return (this.#options.problem ?? plainProblem)(error, request)
    }
  }

  async resolve(request: Request, peer: Peer = {}): Promise<Resolved | undefined> {
    const key = await this.#keys.find(request, this.#addressOf(request, peer))
    const asked = request.headers.get('x-workspace') ?? undefined
    if (key) {
      if (asked !== undefined && !names(key.workspace, asked)) throw workspaceNotYours({ workspace: asked })
      const authority = await this.#options.authorities.of(key.workspace, { role: key.role })
      const actor: Actor = { type: 'key', id: key.id, name: key.name, locale: key.workspace.locale }
      return { actor, workspace: key.workspace, authority, workspaces: [] }
    }
    const signedIn = await this.#sessions.find(request)
    if (!signedIn) return undefined
    demandSameOrigin(request, this.#options.config.trustedOrigins ?? [])
    const { session, memberships } = signedIn
    const here = chosenMembership(signedIn, asked)
    const authority = await this.#options.authorities.of(here.workspace, { user: session.user })
    this.#note(session.user, here)
    const actor: Actor = { type: 'user', id: session.user, name: here.name, locale: here.locale }
    return {
      actor,
      workspace: here.workspace,
      authority,
      session,
      ...(here.email === null ? {} : { email: here.email }),
      workspaces: memberships.map(({ workspace }) => workspace),
    }
  }

  ensureFirstAdmin(admin: FirstAdmin): Promise<FirstAdminAnswer | undefined> {
    return this.#workspaces.ensureFirstAdmin(admin)
  }

  async createWorkspace(workspace: NewWorkspace, administrator?: FirstPerson): Promise<Workspace> {
    const made = await this.#workspaces.create(workspace, administrator)
    this.#sessions.drop()
    return made
  }

  async workspaces(): Promise<Workspace[]> {
    const { rows } = await sql<Workspace>`
      select id, slug, name, locale, zone, base_currency as "baseCurrency" from core.workspace order by created_at, id`.execute(
      this.#options.database.owner,
    )
    return rows
  }

  close(): void {
    this.#stop?.()
  }

  async #answer(request: Request, peer: Peer): Promise<Response> {
    const path = new URL(request.url).pathname
    switch (`${request.method} ${path}`) {
      case `POST ${authPath}/sign-in/email`:
        return this.#enter(request, peer)
      case `POST ${authPath}/sign-out`:
        return this.#leave(request)
      case `GET ${authPath}/get-session`:
        return this.#show(request)
      case `POST ${authPath}/change-password`:
      case 'POST /api/core/me/password':
        return this.#changePassword(request, peer)
      case 'POST /api/core/me/workspace':
        return this.#switchWorkspace(request)
      case 'GET /api/core/workspaces':
        return this.#listWorkspaces(request)
      case 'POST /api/core/workspaces':
        return this.#openWorkspace(request, peer)
      default:
        throw signInPathUnknown({ path })
    }
  }

  async #enter(request: Request, peer: Peer): Promise<Response> {
    // A page of another site must not sign a visitor in as somebody else either.
    demandSameOrigin(request, this.#options.config.trustedOrigins ?? [])
    const { rememberMe, ...body } = await parsed(request, signInBody)
    const address = this.#addressOf(request, peer)
    await this.#delay.begin(body.email, address)
    const answer = await this.#signIn.enter(
      request,
      { ...body, ...(rememberMe === undefined ? {} : { rememberMe }) },
      address,
    )
    if (!answer.ok) {
      if (answer.status < 500) throw credentialsWrong({})
      throw new Error(`Signing in failed: ${await answer.text()}`)
    }
    const { token, user } = (await answer.json()) as {
      token: string
      user: { id: string; name: string; email: string }
    }
    await this.#delay.succeed(body.email, address)
    const active =
      await sql`select 1 from core.member where id = ${user.id} and state = 'active' and deleted_at is null limit 1`.execute(
        this.#options.database.owner,
      )
    if (active.rows.length === 0) {
      await this.#signIn.endSession(token)
      throw noWorkspace({})
    }
    // The token stays in the cookie, where no script of a page can read it.
    return withCookies(Response.json({ user: { id: user.id, name: user.name, email: user.email } }), answer)
  }

  async #leave(request: Request): Promise<Response> {
    demandSameOrigin(request, this.#options.config.trustedOrigins ?? [])
    const answer = await this.#signIn.leave(request)
    const token = this.#sessions.tokenOf(request)
    if (token !== undefined) this.#forget()
    return withCookies(Response.json({ success: true }), answer)
  }

  async #show(request: Request): Promise<Response> {
    const signedIn = await this.#sessions.find(request)
    if (!signedIn) return Response.json(null)
    const { session, memberships } = signedIn
    return Response.json({
      session: { id: session.id, userId: session.user, expiresAt: session.expiresAt },
      user: { id: session.user, name: memberships[0]?.name, email: memberships[0]?.email },
    })
  }

  async #changePassword(request: Request, peer: Peer): Promise<Response> {
    const { session } = await this.#demandSession(request)
    const { currentPassword, newPassword } = await parsed(request, passwordBody)
    demandPassword(newPassword)
    const { owner } = this.#options.database
    const { rows } = await sql<{ password: string | null; email: string }>`
      select c.password, u.email from core."user" u left join core.credential c on c.user_id = u.id and c.provider_id = 'credential'
      where u.id = ${session.user}`.execute(owner)
    const [known] = rows
    const address = this.#addressOf(request, peer)
    await this.#delay.begin(known?.email ?? session.user, address)
    if (!known?.password || !(await passwordMatches(known.password, currentPassword))) throw credentialsWrong({})
    await this.#delay.succeed(known.email, address)
    const hash = await hashPassword(newPassword)
    const at = this.#options.clock.now().toISOString()
    await sql`update core.credential set password = ${hash}, updated_at = ${at}::timestamptz where user_id = ${session.user} and provider_id = 'credential'`.execute(
      owner,
    )
    // Whoever knew the old password may sit in another browser.
    await sql`delete from core.session where user_id = ${session.user} and id <> ${session.id}`.execute(owner)
    this.#forget()
    return new Response(null, { status: 204 })
  }

  async #switchWorkspace(request: Request): Promise<Response> {
    const signedIn = await this.#demandSession(request)
    const { workspace } = await parsed(request, switchBody)
    const chosen = chosenMembership(signedIn, workspace)
    await sql`update core.session set workspace = ${chosen.workspace.id} where id = ${signedIn.session.id}`.execute(
      this.#options.database.owner,
    )
    this.#forget()
    return new Response(null, { status: 204 })
  }

  async #listWorkspaces(request: Request): Promise<Response> {
    const { memberships } = await this.#demandSession(request)
    return Response.json({ data: memberships.map(({ workspace }) => workspace) })
  }

  async #openWorkspace(request: Request, peer: Peer): Promise<Response> {
    const resolved = await this.resolve(request, peer)
    if (!resolved?.session) throw notSignedIn({})
    if (!resolved.authority.may('core.workspace.create'))
      throw permissionDenied({ permission: 'core.workspace.create' })
    const wanted = await parsed(request, workspaceBody)
    const { rows } = await sql<{ name: string; email: string }>`
      select name, email from core."user" where id = ${resolved.session.user}`.execute(this.#options.database.owner)
    const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
    const person = { id: resolved.session.user, locale: resolved.actor.locale, ...rows[0]! }
    const made = await this.createWorkspace({ locale: resolved.actor.locale, ...given, name: wanted.name }, person)
    this.#forget()
    return Response.json({ data: made }, { status: 201 })
  }

  async #demandSession(request: Request): Promise<SignedIn> {
    const signedIn = await this.#sessions.find(request)
    if (!signedIn) throw notSignedIn({})
    demandSameOrigin(request, this.#options.config.trustedOrigins ?? [])
    return signedIn
  }

  #addressOf(request: Request, peer: Peer): string | undefined {
    return clientAddress(request, peer, this.#proxies)
  }

  /** Sessions changed: here now, in the other processes within milliseconds. */
  #forget(): void {
    this.#sessions.drop()
    this.#options.signals?.send({ kind: 'permissions' })
  }

  #note(user: string, { workspace, lastSeenAt }: Membership): void {
    const key = `${workspace.id} ${user}`
    const now = this.#options.clock.now()
    const last = this.#seen.get(key) ?? (lastSeenAt === null ? -Infinity : Date.parse(lastSeenAt))
    if (Math.abs(now.getTime() - last) < seenPrecision * 60_000) return
    if (this.#seen.size >= 10_000) this.#seen.clear()
    this.#seen.set(key, now.getTime())
    sql`update core.member set last_seen_at = ${now.toISOString()}::timestamptz where workspace = ${workspace.id} and id = ${user}`
      .execute(this.#options.database.owner)
      .catch(() => {})
  }
}

const names = (workspace: Workspace, text: string) => workspace.id === text || workspace.slug === text

function chosenMembership({ session, memberships }: SignedIn, asked: string | undefined): Membership {
  const first = memberships[0]
  if (!first) throw noWorkspace({})
  if (asked === undefined) return memberships.find(({ workspace }) => workspace.id === session.workspace) ?? first
  const chosen = memberships.find(({ workspace }) => names(workspace, asked))
  if (!chosen) throw workspaceNotYours({ workspace: asked })
  return chosen
}

async function parsed<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
  const body: unknown = await request.json().catch(() => undefined)
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const errors = result.error.issues.map(({ path, message }) => ({
    path: `/${path.join('/')}`,
    code: 'INVALID',
    detail: message,
  }))
  throw validationFailed({ count: errors.length, first: `${errors[0]?.path}: ${errors[0]?.detail}` }, { errors })
}

function withCookies(answer: Response, from: Response): Response {
  for (const cookie of from.headers.getSetCookie()) answer.headers.append('set-cookie', cookie)
  answer.headers.set('cache-control', 'no-store')
  return answer
}

/** RFC 9457 in English, for tests and hosts that bring no writer of their own. */
function plainProblem(error: SocleError): Response {
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
