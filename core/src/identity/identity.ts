import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Actor, Locale, Workspace } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { Context } from '../context.ts'
import type { Database } from '../database/database.ts'
import type { Signals } from '../database/signals.ts'
import { SocleError } from '../errors.ts'
import type { Outgoing } from '../http/outgoing.ts'
import { changesRights, type Authorities } from '../permissions/authorities.ts'
import type { Authority } from '../permissions/authority.ts'
import { addressList, clientAddress, type Peer } from './addresses.ts'
import { ApiKeys, type ApiKey } from './api-keys.ts'
import { Door, type Answer, type Answers, type DoorParts } from './door/door.ts'
import { externalIdentityAnswers } from './door/external-identities.ts'
import { linkAnswers } from './door/links.ts'
import { ownAccountAnswers } from './door/own-account.ts'
import { passkeyAnswers } from './door/passkeys.ts'
import { presenceAnswers } from './door/presence.ts'
import { secondFactorAnswers } from './door/second-factor.ts'
import { sessionAnswers } from './door/sessions.ts'
import { signInAnswers } from './door/sign-in.ts'
import { postedFromElsewhere, signOnAnswers } from './door/sign-on.ts'
import { viewAsAnswers } from './door/view-as.ts'
import type { ViewingEnd } from './entities/viewing.ts'
import {
  apiKeyMoreThanMaker,
  secondFactorNeeded,
  signInPathUnknown,
  viewAsEnded,
  viewAsReadOnly,
  workspaceNotYours,
} from './errors.ts'
import { KnownDevices } from './known-devices.ts'
import { OneTimeTokens } from './one-time-tokens.ts'
import { demandSameOrigin } from './origin.ts'
import { Passkeys } from './passkeys.ts'
import { SecondFactors } from './second-factors.ts'
import { installationSecret } from './secret.ts'
import {
  chosenMembership,
  isNamed,
  Sessions,
  workspaceJson,
  type Membership,
  type Session,
  type SignedIn,
  type ViewedAs,
} from './sessions.ts'
import { SignInDelay } from './sign-in-delay.ts'
import { authPath, sessionCookie, SignIn } from './sign-in.ts'
import { textsFrom, type ResolveTexts } from './sign-on/domain-proof.ts'
import { recheckDomains } from './sign-on/recheck.ts'
import { SignOn } from './sign-on/sign-on.ts'
import type { Vouched } from './sign-on/vouching.ts'
import { DoorSweep } from './sweep.ts'
import { mayViewAs } from './view-as.ts'
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
  /** Hours a session lasts from its sign-in; 336, two weeks, when absent. */
  readonly sessionHours?: number
}

export interface IdentityOptions {
  readonly database: Database
  readonly config: IdentityConfig
  readonly clock: Clock
  readonly log: Logger
  readonly authorities: Authorities
  readonly signals?: Signals
  /** Lets somebody in by their link, as a change of theirs: one unit of work in that workspace. */
  readonly useLink: (workspace: Workspace, user: string, choice: LinkChoice) => Promise<void>
  /** One unit of work in a workspace under somebody's name, with the platform's rights. */
  readonly asPerson: <T>(workspace: Workspace, actor: Actor, work: (ctx: Context) => Promise<T>) => Promise<T>
  /** Lets somebody in for whom an identity provider vouched, likewise. Answers their user id. */
  readonly letIn: (vouched: Vouched) => Promise<string>
  /** How identity providers are reached. */
  readonly outgoing: Outgoing
  /** How texts in the DNS are read; by the system's name servers when absent. */
  readonly resolveTexts?: ResolveTexts | undefined
  /** A refusal's sentence in a language; English when absent. */
  readonly sentence?: (error: SocleError, locale: Locale) => string
}

/** What somebody chose who came by a link. */
export interface LinkChoice {
  readonly token: string
  /** As they want to be called, or as they are. */
  readonly name: string
  /** Of the password they chose; null with a passkey, or when they sign in already. */
  readonly hash: string | null
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
  /** Who looks as the actor, to read only, and until when. */
  readonly viewer?: { readonly id: string; readonly name: string; readonly until: string }
  /** The user's own workspaces; empty for an API key. */
  readonly workspaces: readonly Workspace[]
}

const answers: Answers = {
  ...signInAnswers,
  ...ownAccountAnswers,
  ...presenceAnswers,
  ...secondFactorAnswers,
  ...passkeyAnswers,
  ...sessionAnswers,
  ...externalIdentityAnswers,
  ...linkAnswers,
  ...signOnAnswers,
  ...viewAsAnswers,
}

/** What is answered at the door while somebody looks as another: the way back, and out. */
const openWhileViewing: ReadonlySet<string> = new Set([
  'DELETE /api/core/view-as',
  `POST ${authPath}/sign-out`,
  `GET ${authPath}/get-session`,
])

/** Requests this answers itself, because they need the session or reach beyond one workspace. */
export const identityPaths: readonly string[] = [
  ...new Set([...Object.keys(answers).map((key) => key.split(' ')[1]!), `${authPath}/*`]),
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
  /** Where a request really came from, behind the proxies that are trusted. */
  addressOf(request: Request, peer?: Peer): string | undefined
  /** Makes the first administrator of an empty installation; undefined where there is a user already. */
  ensureFirstAdmin(admin: FirstAdmin): Promise<FirstAdminAnswer | undefined>
  createWorkspace(workspace: NewWorkspace, administrator?: FirstPerson): Promise<Workspace>
  /** Every workspace, oldest first; for jobs and the operator's commands. */
  workspaces(): Promise<Workspace[]>
  /** Sign-in by identity providers, for whoever manages them. */
  readonly signOn: SignOn
  /**
   * That the person of a session sits before it, for what is dangerous.
   *
   * @throws `SECOND_FACTOR_NEEDED`, `CONFIRMATION_NEEDED` (403)
   */
  demandPresence(session: Session): Promise<void>
  /** Takes away what the door no longer needs. */
  sweep(): Promise<void>
  /** Looks whether what proved a workspace's domains is still there. */
  recheckDomains(workspace: Workspace): Promise<void>
  close(): void
}

/** Minutes between two notes of when a member was last seen. */
const seenPrecision = 5

export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { database, config, clock, log } = options
  const { owner } = database
  const { baseUrl, secret = await installationSecret(owner, 'session') } = config
  const tokens = new OneTimeTokens(owner, clock)
  return new IdentityService(options, {
    sessions: new Sessions({ owner, clock, cookie: sessionCookie(baseUrl), secret }),
    signIn: new SignIn({
      owner,
      clock,
      log,
      baseUrl,
      secret,
      sessionSeconds: (config.sessionHours ?? 336) * 3_600,
    }),
    delay: new SignInDelay(owner, clock),
    devices: new KnownDevices({ secret, clock }),
    tokens,
    secondFactors: new SecondFactors({ owner, clock, secret }),
    passkeys: new Passkeys({ owner, clock, tokens, baseUrl }),
    workspaces: new Workspaces(owner, clock),
    signOn: new SignOn({
      owner,
      clock,
      outgoing: options.outgoing,
      baseUrl,
      secret,
      resolveTexts: options.resolveTexts ?? textsFrom(),
    }),
  })
}

class IdentityService implements Identity {
  readonly signOn: SignOn
  readonly #options: IdentityOptions
  readonly #sessions: Sessions
  readonly #door: Door
  readonly #keys: ApiKeys
  readonly #workspaces: Workspaces
  readonly #proxies: ReturnType<typeof addressList>
  readonly #sweep: DoorSweep
  readonly #stop: (() => void) | undefined
  readonly #seen = new Map<string, number>()
  /** Rights somebody looks with, by the viewer's own they were last compared with. */
  readonly #compared = new WeakMap<Authority, Authority>()
  /** Rights of a key, by those of keys it came from that were found to hold them all. */
  readonly #bounds = new WeakMap<Authority, WeakSet<Authority>>()

  constructor(options: IdentityOptions, parts: Omit<DoorParts, 'options' | 'resolve'>) {
    const { database, clock, config, log, signals } = options
    this.#options = options
    this.#sweep = new DoorSweep({ owner: database.owner, clock, log })
    this.signOn = parts.signOn
    this.#sessions = parts.sessions
    this.#workspaces = parts.workspaces
    this.#door = new Door({
      ...parts,
      options,
      resolve: ({ request, address }) => this.resolve(request, address === undefined ? {} : { address }),
    })
    this.#keys = new ApiKeys({ owner: database.owner, clock })
    this.#proxies = addressList(config.trustedProxies ?? [])
    this.#stop = signals?.on((signal) => {
      if (signal.kind !== 'permissions' && !changesRights(signal)) return
      this.#sessions.drop()
      this.#keys.drop()
    })
  }

  async resolve(request: Request, peer: Peer = {}): Promise<Resolved | undefined> {
    const key = await this.#keys.find(request, this.addressOf(request, peer))
    const asked = request.headers.get('x-workspace') ?? undefined
    if (key) {
      if (asked !== undefined && !isNamed(key.workspace, asked)) throw workspaceNotYours({ workspace: asked })
      const authority = await this.#keyAuthority(key)
      const actor: Actor = { type: 'key', id: key.id, name: key.name, locale: key.workspace.locale }
      return { actor, workspace: key.workspace, authority, workspaces: [] }
    }
    const signedIn = await this.#sessions.find(request)
    if (!signedIn) return undefined
    demandSameOrigin(request, this.#options.config.trustedOrigins ?? [])
    const { session, memberships } = signedIn
    if (session.viewing) return this.#viewed(signedIn, session.viewing, asked)
    const here = chosenMembership(signedIn, asked)
    if (here.workspace.secondFactor === 'required' && !session.strong) throw secondFactorNeeded({})
    const authority = await this.#options.authorities.of(here.workspace, { user: session.user })
    this.#note(session, here)
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

  /**
   * The rights of a key; asked anew when roles change, because it holds none that a key it came from does not.
   *
   * @throws `API_KEY_MORE_THAN_MAKER` (403)
   */
  async #keyAuthority({ name, workspace, role, rights, makers }: ApiKey): Promise<Authority> {
    const { authorities } = this.#options
    const authority = await authorities.of(workspace, { role })
    for (const maker of makers) {
      if (maker.role === role) continue
      const own = await authorities.of(workspace, { role: maker.role })
      const bounds = this.#bounds.get(authority) ?? new WeakSet()
      this.#bounds.set(authority, bounds)
      if (bounds.has(own)) continue
      if (!own.holds(rights)) throw apiKeyMoreThanMaker({ name, maker: maker.name })
      bounds.add(own)
    }
    return authority
  }

  /** Who looks as somebody else reads what that person reads, while both may: asked anew with every request. */
  async #viewed(signedIn: SignedIn, viewing: ViewedAs, asked: string | undefined): Promise<Resolved> {
    const { session, memberships } = signedIn
    const { workspace, user, name, until } = viewing
    if (asked !== undefined && !isNamed(workspace, asked)) throw workspaceNotYours({ workspace: asked })
    const { authorities, clock } = this.#options
    const end = async (endedBy: ViewingEnd): Promise<never> => {
      await this.#door.stopViewing(session, endedBy)
      throw viewAsEnded({ name: name ?? user })
    }
    if (Date.parse(until) <= clock.now().getTime()) return end('time')
    if (name === undefined || !memberships.some((it) => it.workspace.id === workspace.id)) return end('gone')
    const here = chosenMembership(signedIn, workspace.id)
    if (here.workspace.secondFactor === 'required' && !session.strong) throw secondFactorNeeded({})
    const own = await authorities.of(here.workspace, { user: session.user })
    if (!own.may('core.actor.view-as')) return end('right')
    const authority = await authorities.of(here.workspace, { user })
    if (this.#compared.get(authority) !== own) {
      const { subject } = await authorities.sources(here.workspace, user)
      if (!mayViewAs(own, subject.roles)) return end('right')
      this.#compared.set(authority, own)
    }
    // Of the two it is the viewer who was here.
    this.#note(session, here)
    return {
      actor: { type: 'user', id: user, name, locale: here.locale },
      workspace: here.workspace,
      authority,
      session,
      viewer: { id: session.user, name: here.name, until },
      workspaces: [here.workspace],
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
    const { rows } = await sql<{ workspace: Workspace }>`
      select ${workspaceJson('w')} as workspace from core.workspace w order by w.created_at, w.id`.execute(
      this.#options.database.owner,
    )
    return rows.map(({ workspace }) => workspace)
  }

  demandPresence(session: Session): Promise<void> {
    return this.#door.demandPresent(session)
  }

  sweep(): Promise<void> {
    return this.#sweep.run()
  }

  recheckDomains(workspace: Workspace): Promise<void> {
    const { database, log, asPerson } = this.#options
    return recheckDomains({ owner: database.owner, log, signOn: this.signOn, asPerson }, workspace)
  }

  close(): void {
    this.#stop?.()
  }

  async handler(request: Request, peer: Peer = {}): Promise<Response> {
    const path = new URL(request.url).pathname
    const found = matching(request.method, path)
    if (!found) throw signInPathUnknown({ path })
    // Before anything is read: a page of another site must neither act in a session nor sign its visitor in as somebody.
    if (!postedFromElsewhere.has(found.key)) demandSameOrigin(request, this.#options.config.trustedOrigins ?? [])
    const viewing = openWhileViewing.has(found.key) ? undefined : await this.#viewing(request)
    if (viewing) throw viewAsReadOnly({ name: viewing.name ?? viewing.user })
    return found.answer(this.#door, { request, params: found.params, address: this.addressOf(request, peer) })
  }

  /** As whom the request's session looks; a session that is over looks as nobody. */
  async #viewing(request: Request): Promise<ViewedAs | undefined> {
    const found = await this.#sessions.find(request).catch((error: unknown) => {
      if (error instanceof SocleError) return undefined
      throw error
    })
    return found?.session.viewing
  }

  addressOf(request: Request, peer: Peer = {}): string | undefined {
    return clientAddress(request, peer, this.#proxies)
  }

  /** Beside the request: nobody waits for it, and a lost one loses some minutes. */
  #note(session: Session, { workspace, lastSeenAt }: Membership): void {
    const { owner } = this.#options.database
    const now = this.#options.clock.now()
    const at = sql`${now.toISOString()}::timestamptz`
    if (this.#isDue(`${workspace.id} ${session.user}`, lastSeenAt, now))
      sql`update core.member set last_seen_at = ${at} where workspace = ${workspace.id} and id = ${session.user}`
        .execute(owner)
        .catch(() => {})
    if (this.#isDue(session.id, session.seenAt, now))
      sql`update core.session set seen_at = ${at} where id = ${session.id}`.execute(owner).catch(() => {})
  }

  #isDue(key: string, noted: string | null, now: Date): boolean {
    const last = this.#seen.get(key) ?? (noted === null ? -Infinity : Date.parse(noted))
    if (Math.abs(now.getTime() - last) < seenPrecision * 60_000) return false
    if (this.#seen.size >= 10_000) this.#seen.clear()
    this.#seen.set(key, now.getTime())
    return true
  }
}

interface Match {
  /** Method and pattern. */
  readonly key: string
  readonly answer: Answer
  readonly params: Readonly<Record<string, string>>
}

/** The answer to a method and a path; the exact ones first, as `…/others` is no `…/:id`. */
function matching(method: string, path: string): Match | undefined {
  const exact = answers[`${method} ${path}`]
  if (exact) return { key: `${method} ${path}`, answer: exact, params: {} }
  for (const [key, answer] of Object.entries(answers)) {
    const [verb, pattern = ''] = key.split(' ')
    const wanted = pattern.split('/')
    const given = path.split('/')
    if (verb !== method || wanted.length !== given.length) continue
    if (!wanted.every((part, at) => part === given[at] || (part.startsWith(':') && given[at] !== ''))) continue
    const params = wanted.flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), given[at]!]] : []))
    return { key, answer, params: Object.fromEntries(params) as Record<string, string> }
  }
  return undefined
}
