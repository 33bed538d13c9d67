import { sql } from 'kysely'
import type { z } from 'zod'
import type { Locale, Workspace } from '../../actor.ts'
import type { Sql } from '../../database/database.ts'
import { readJson } from '../../http/body.ts'
import { parsed } from '../../http/parsed.ts'
import {
  confirmationNeeded,
  credentialsWrong,
  lastWayIn,
  noWorkspace,
  notSignedIn,
  secondFactorDemanded,
  secondFactorNeeded,
  signOnBound,
  signOnNeeded,
} from '../errors.ts'
import type { ViewingEnd } from '../entities/viewing.ts'
import type { IdentityOptions, LinkChoice, Resolved } from '../identity.ts'
import { knownDays, type KnownDevices } from '../known-devices.ts'
import type { OneTimeTokens } from '../one-time-tokens.ts'
import type { Passkeys } from '../passkeys.ts'
import { passwordMatches } from '../passwords.ts'
import type { SecondFactors } from '../second-factors.ts'
import {
  cookieValue,
  exclusiveProvider,
  workspaceJson,
  type Session,
  type Sessions,
  type SignedIn,
} from '../sessions.ts'
import type { SignInDelay, Source } from '../sign-in-delay.ts'
import { authPath, type Entry, type SignIn, type Through } from '../sign-in.ts'
import type { SignOn } from '../sign-on/sign-on.ts'
import { UserService } from '../user-service.ts'
import { endViewing } from '../view-as.ts'
import type { Workspaces } from '../workspaces.ts'

/** One request at the door: what belongs to a person rather than to one of their workspaces. */
export interface Call {
  readonly request: Request
  /** Where it really came from, as far as proxies are trusted. */
  readonly address: string | undefined
  readonly params: Readonly<Record<string, string>>
}

export type Answer = (door: Door, call: Call) => Promise<Response>

/** By method and path: `GET /api/core/me/sessions/:id`. */
export type Answers = Readonly<Record<string, Answer>>

export interface DoorParts {
  readonly options: IdentityOptions
  readonly sessions: Sessions
  readonly signIn: SignIn
  readonly delay: SignInDelay
  readonly devices: KnownDevices
  readonly tokens: OneTimeTokens
  readonly secondFactors: SecondFactors
  readonly passkeys: Passkeys
  readonly workspaces: Workspaces
  readonly signOn: SignOn
  resolve(call: Call): Promise<Resolved | undefined>
}

/** A person as the installation knows them. */
export interface Login {
  readonly name: string
  readonly email: string
  readonly password: string | null
}

/** Minutes after showing that it is them during which nobody is asked again. */
const freshMinutes = 15

/** What the answers at the door share. */
export class Door {
  readonly parts: DoorParts

  constructor(parts: DoorParts) {
    this.parts = parts
  }

  /** Whether browsers reach this installation over TLS alone. */
  get isSecure(): boolean {
    return this.parts.options.config.baseUrl.startsWith('https:')
  }

  get owner() {
    return this.parts.options.database.owner
  }

  now(): string {
    return this.parts.options.clock.now().toISOString()
  }

  /** @throws `NOT_SIGNED_IN`, `SESSION_EXPIRED` (401) */
  async demandSession(request: Request): Promise<SignedIn> {
    const signedIn = await this.parts.sessions.find(request)
    if (!signedIn) throw notSignedIn({})
    return signedIn
  }

  async login(user: string): Promise<Login> {
    const { rows } = await sql<Login>`
      select u.name, u.email, c.password from core."user" u
      left join core.credential c on c.user_id = u.id and c.provider_id = 'credential'
      where u.id = ${user}`.execute(this.owner)
    return rows[0]!
  }

  /**
   * The session, opened by a way of the person's own, and that they sit before it.
   *
   * @throws `SIGN_ON_BOUND`, `SECOND_FACTOR_NEEDED`, `CONFIRMATION_NEEDED` (403)
   */
  async demandPresence(request: Request): Promise<Session & Login> {
    const session = await this.demandStrength(request)
    this.demandFresh(session)
    return { ...session, ...(await this.login(session.user)) }
  }

  /**
   * That the person of a session sits before it: they signed in or confirmed it a moment ago. Who has a second factor has
   * used it in this session, so that a password alone never is enough.
   *
   * @throws `SECOND_FACTOR_NEEDED`, `CONFIRMATION_NEEDED` (403)
   */
  async demandPresent(session: Session): Promise<void> {
    await this.#demandStrong(session)
    this.demandFresh(session)
  }

  /** Until when nobody asks again; null when they are asked now. */
  presentUntil({ presentAt }: Session): string | null {
    if (presentAt === null) return null
    const until = Date.parse(presentAt) + freshMinutes * 60_000
    return until < this.parts.options.clock.now().getTime() ? null : new Date(until).toISOString()
  }

  /**
   * The session, opened by a way of the person's own, with the second factor or a passkey of who has one.
   *
   * @throws `SIGN_ON_BOUND`, `SECOND_FACTOR_NEEDED` (403)
   */
  async demandStrength(request: Request): Promise<Session> {
    const { session } = await this.demandSession(request)
    await this.demandOwnWay(session)
    await this.#demandStrong(session)
    return session
  }

  async #demandStrong(session: Session): Promise<void> {
    const { since, passkeys } = await this.parts.secondFactors.stateOf(session.user)
    if (!session.strong && (since !== null || passkeys > 0)) throw secondFactorNeeded({})
  }

  /** @throws `CONFIRMATION_NEEDED` (403) */
  demandFresh(session: Session): void {
    if (this.presentUntil(session) === null) throw confirmationNeeded({})
  }

  /** @throws `CREDENTIALS_WRONG` (401), `SIGN_IN_DELAYED` (429) */
  async checkPassword(login: Login, password: string, source: Source): Promise<void> {
    const { delay } = this.parts
    await delay.begin(login.email, source)
    if (login.password === null || !(await passwordMatches(login.password, password))) throw credentialsWrong({})
    await delay.succeed(login.email, source)
  }

  /** Where somebody tries to come in, and whether they have before in this browser. */
  sourceOf(call: Call, email: string): Source {
    return { address: call.address, device: this.parts.devices.find(deviceCookie.read(this, call), email) }
  }

  /**
   * Opens a session: always a new one, so that a token somebody planted beforehand opens nothing, and the one the
   * browser had before ends.
   *
   * @throws `NO_WORKSPACE`, `SIGN_ON_NEEDED` (403)
   */
  async open(call: Call, entry: Entry): Promise<Response> {
    const { request, address } = call
    const { signIn, sessions, devices } = this.parts
    const { user } = entry
    await this.demandMember(user, entry.through)
    const { name, email } = await this.login(user)
    const opened = await signIn.open(request, entry, address)
    const before = sessions.tokenOf(request)
    if (before !== undefined) {
      await signIn.endSession(before)
      this.forget()
    }
    // The token stays in the cookie, where no script of a page can read it.
    const answer = withCookies(Response.json({ user: { id: user, name, email } }), opened)
    // A workspace's provider could say that anybody sat here, as often as it likes.
    if (!entry.through)
      deviceCookie.give(answer, this, devices.remember(deviceCookie.read(this, call), email), knownDays * 86_400)
    return answer
  }

  /**
   * Refuses who works nowhere, or nowhere that this way in leads to.
   *
   * @throws `NO_WORKSPACE`, `SIGN_ON_NEEDED` (403)
   */
  async demandMember(user: string, through?: Through): Promise<void> {
    const only = through === undefined ? exclusiveProvider : sql<null>`null`
    const { rows } = await sql<{ provider: string | null; workspace: string }>`
      select ${only} as provider, w.name as workspace from core.member m join core.workspace w on w.id = m.workspace
      where m.id = ${user} and m.state = 'active' and m.deleted_at is null
        and (${through?.workspace ?? null}::uuid is null or m.workspace = ${through?.workspace ?? null}::uuid)
      order by m.created_at, w.id`.execute(this.owner)
    const [first] = rows
    if (!first) throw noWorkspace({})
    if (first.provider !== null && rows.every(({ provider }) => provider !== null))
      throw signOnNeeded({ provider: first.provider, workspace: first.workspace })
  }

  /**
   * Refuses what is a person's alone, and not a workspace's, in a session that a workspace's identity provider opened: its
   * administrator could have made that session. Who works there alone has nothing to lose by it.
   *
   * @throws `SIGN_ON_BOUND` (403)
   */
  async demandOwnWay({ user, boundTo }: Session): Promise<void> {
    if (boundTo === undefined) return
    const { rows } = await sql`
      select 1 from core.member where id = ${user} and workspace <> ${boundTo} and state = 'active' and accepted_at is not null
        and deleted_at is null limit 1`.execute(this.owner)
    if (rows.length > 0) throw signOnBound({})
  }

  /** A second factor was just shown: this session has one now, and those that had none end. */
  async strengthen(session: Session): Promise<void> {
    await sql`update core.session set strong = true where id = ${session.id}`.execute(this.owner)
    await sql`delete from core.session where user_id = ${session.user} and not strong`.execute(this.owner)
    this.forget()
  }

  /**
   * Takes an app or a passkey from its person. Their row is locked first: of two taken away in the same second, each the
   * last but one, the second is refused.
   *
   * @throws `SECOND_FACTOR_DEMANDED` (409) for the last second factor of somebody whose workspace demands one
   * @throws `LAST_WAY_IN` (409) for the last passkey of somebody who has neither a password nor a provider that is on
   */
  async takeAway(
    { user, password }: Session & Login,
    without: 'app' | 'passkey',
    remove: (tx: Sql) => Promise<void>,
  ): Promise<void> {
    await this.owner.transaction().execute(async (tx) => {
      await sql`select 1 from core."user" where id = ${user} for no key update`.execute(tx)
      const { since, passkeys } = await this.parts.secondFactors.stateOf(user, tx)
      const left = without === 'app' ? passkeys : passkeys - 1 + (since === null ? 0 : 1)
      if (left <= 0) await demandNoneIsDemanded(tx, user)
      if (without === 'passkey' && passkeys <= 1 && password === null) await demandProvider(tx, user)
      await remove(tx)
    })
  }

  /** Who signs in with the password a workspace gave them has accepted its invitation. */
  async acceptGivenPassword(user: string): Promise<void> {
    const { rows } = await sql<{ workspace: Workspace; name: string; locale: Locale }>`
      select ${workspaceJson('w')} as workspace, m.name, m.locale from core.credential c
      join core.member m on m.workspace = c.given_by and m.id = c.user_id and m.state = 'invited' and m.deleted_at is null
      join core.workspace w on w.id = m.workspace
      where c.user_id = ${user}`.execute(this.owner)
    const [invitation] = rows
    if (!invitation) return
    const { workspace, name, locale } = invitation
    const actor = { type: 'user', id: user, name, locale } as const
    await this.parts.options.asPerson(workspace, actor, (ctx) => new UserService(ctx).acceptByPassword(user))
    this.forget()
  }

  /** @throws `LINK_GONE` (410), `PASSWORD_IS_THEIRS` (409) */
  async useLink(workspace: Workspace, user: string, choice: LinkChoice): Promise<void> {
    await this.parts.options.useLink(workspace, user, choice)
    this.forget()
  }

  /** Back to oneself; the record of it says how it ended. */
  async stopViewing({ id, user, viewing }: Session, endedBy: ViewingEnd): Promise<void> {
    if (!viewing) return
    // The flag first: whatever happens to the record, nobody looks on.
    await sql`
      update core.session set viewing = null, viewed = null, viewed_in = null, viewed_until = null
      where id = ${id}::uuid and viewing = ${viewing.id}::uuid`.execute(this.owner)
    this.forget()
    const { workspace, viewer } = viewing
    const actor = { type: 'user', id: user, name: viewer, locale: workspace.locale } as const
    await this.parts.options.asPerson(workspace, actor, (ctx) => endViewing(ctx, viewing.id, endedBy))
  }

  /** Ends every other session of a person. */
  async endOthers(session: Session): Promise<void> {
    await sql`delete from core.session where user_id = ${session.user} and id <> ${session.id}`.execute(this.owner)
    this.forget()
  }

  /** Sessions changed: here now, in the other processes within milliseconds. */
  forget(): void {
    this.parts.sessions.drop()
    this.parts.options.signals?.send({ kind: 'permissions' })
  }
}

/** @throws `SECOND_FACTOR_DEMANDED` (409) */
async function demandNoneIsDemanded(tx: Sql, user: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select w.name from core.member m join core.workspace w on w.id = m.workspace
    where m.id = ${user} and m.state = 'active' and m.deleted_at is null and w.second_factor = 'required' limit 1`.execute(
    tx,
  )
  if (rows[0]) throw secondFactorDemanded({ workspace: rows[0].name })
}

/** @throws `LAST_WAY_IN` (409) for somebody whom no provider that is on lets in */
async function demandProvider(tx: Sql, user: string): Promise<void> {
  const { rows } = await sql`
    select 1 from core.external_identity e join core.identity_provider p on p.id = e.provider
    where e.user_id = ${user} and p.enabled and p.deleted_at is null limit 1`.execute(tx)
  if (rows.length === 0) throw lastWayIn({})
}

export async function bodyOf<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
  return parsed(schema, await readJson(request))
}

/** A cookie of the door's own: only sent back to the door, by its own pages, and out of their scripts' reach. */
export class DoorCookie {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  read(door: Door, { request }: Call): string | undefined {
    return cookieValue(request.headers.get('cookie') ?? '', this.#nameAt(door))
  }

  /** @param seconds - how long it is kept; with 0 it is taken away */
  give(answer: Response, door: Door, value: string, seconds: number): void {
    const secure = door.isSecure ? '; Secure' : ''
    answer.headers.append(
      'set-cookie',
      `${this.#nameAt(door)}=${value}; Max-Age=${seconds}; Path=${authPath}; HttpOnly; SameSite=Strict${secure}`,
    )
  }

  #nameAt({ isSecure }: Door): string {
    return `${isSecure ? '__Secure-' : ''}${this.#name}`
  }
}

/** Who has signed in with this browser. */
const deviceCookie = new DoorCookie('socle.devices')

export function withCookies(answer: Response, from: Response): Response {
  for (const cookie of from.headers.getSetCookie()) answer.headers.append('set-cookie', cookie)
  answer.headers.set('cache-control', 'no-store')
  return answer
}

/** An answer that carries a secret, or what only its reader may know: kept in no cache. */
export function privately(data: unknown, status = 200): Response {
  return Response.json({ data }, { status, headers: { 'cache-control': 'no-store' } })
}

export const done = (): Response => new Response(null, { status: 204 })
