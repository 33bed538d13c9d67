import { createHmac, timingSafeEqual } from 'node:crypto'
import { sql } from 'kysely'
import type { Locale, Workspace } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import { administratorTemplate } from './administrators.ts'
import { domainSql } from './email-domain.ts'
import { noWorkspace, sessionExpired, signOnNeeded, workspaceNotYours } from './errors.ts'

/** A signed-in browser. */
export interface Session {
  readonly id: string
  readonly token: string
  readonly user: string
  /** Workspace it was last switched to. */
  readonly workspace: string | undefined
  readonly expiresAt: string
  readonly createdAt: string
  readonly seenAt: string | null
  /** Opened with a second factor or a passkey. */
  readonly strong: boolean
  /** When its person last showed that it is them; null where nobody knows. */
  readonly presentAt: string | null
  /** Identity provider that opened it; undefined for a way in of the person's own. */
  readonly provider: string | undefined
  /** Workspace it is bound to, because that workspace's identity provider opened it; undefined for a way in of the person's own. */
  readonly boundTo: string | undefined
  /** Set while its person looks as somebody else. */
  readonly viewing?: ViewedAs
}

/** As whom a session looks at a workspace, reading only. */
export interface ViewedAs {
  /** Id of the record that says so. */
  readonly id: string
  readonly user: string
  /** Name of the person looked as; undefined once they no longer work there. */
  readonly name: string | undefined
  /** Name of who looks. */
  readonly viewer: string
  readonly workspace: Workspace
  readonly until: string
}

/** A person as one of their workspaces knows them. */
export interface Membership {
  readonly workspace: Workspace
  readonly name: string
  readonly email: string | null
  readonly locale: Locale
  readonly lastSeenAt: string | null
  /** Identity provider by which alone the workspace lets them in, where this session came in otherwise; null where it may. */
  readonly onlyThrough: string | null
}

export interface SignedIn {
  readonly session: Session
  /** Active memberships, oldest first. */
  readonly memberships: readonly Membership[]
}

interface Row {
  readonly id: string
  readonly user_id: string
  readonly current: string | null
  readonly expires_at: string
  readonly created_at: string
  readonly seen_at: string | null
  readonly strong: boolean
  readonly present_at: string | null
  readonly provider: string | null
  readonly bound_to: string | null
  readonly only_through: string | null
  readonly workspace: Workspace | null
  readonly name: string
  readonly email: string | null
  readonly locale: Locale
  readonly last_seen_at: string | null
  readonly viewing: (Omit<ViewedAs, 'viewer' | 'name'> & { readonly name: string | null }) | null
}

/** A session is looked up once in this many milliseconds; what ends one drops it here at once. */
const keptFor = 5_000
const mostKept = 10_000

/** SQL of a workspace as `Workspace`, under an alias. */
export const workspaceJson = (alias: string) => {
  const w = (column: string) => sql.ref(`${alias}.${column}`)
  return sql<Workspace>`jsonb_build_object('id', ${w('id')}, 'slug', ${w('slug')}, 'name', ${w('name')}, 'locale', ${w('locale')}, 'zone', ${w('zone')}, 'baseCurrency', ${w('base_currency')}, 'fiscalMonth', ${w('fiscal_month')}, 'ledgerMonths', ${w('ledger_months')}, 'eventDays', ${w('event_days')}, 'labels', ${w('labels')}, 'secondFactor', ${w('second_factor')}, 'duplicateStrictness', ${w('duplicate_strictness')})`
}

/**
 * SQL of the identity provider by which alone a workspace lets a member in, null where they may come in otherwise too.
 * Administrators always may, for the day on which the provider fails.
 */
export const exclusiveProvider = sql<string | null>`
  (select p.name from core.identity_provider p
    where p.workspace = m.workspace and p.enabled and p.exclusive and p.deleted_at is null and p.proved_domains ? ${domainSql('m.email')}
      and not exists (select from core.role_assignment a join core.role r on r.workspace = a.workspace and r.id = a.role_id
        where a.workspace = m.workspace and a.user_id = m.id and a.deleted_at is null and a.until is null
          and r.template = ${administratorTemplate} and r.deleted_at is null)
    order by p.created_at limit 1)`

/** Finds whose browser a request comes from: the cookie's signature first, then one statement. */
export class Sessions {
  readonly #owner: Sql
  readonly #clock: Clock
  readonly #cookie: string
  readonly #secret: string
  readonly #kept = new Map<string, { readonly until: number; readonly signedIn: Promise<SignedIn | undefined> }>()

  constructor({ owner, clock, cookie, secret }: { owner: Sql; clock: Clock; cookie: string; secret: string }) {
    this.#owner = owner
    this.#clock = clock
    this.#cookie = cookie
    this.#secret = secret
  }

  /**
   * @returns undefined without a session cookie, or with one that was not signed here
   * @throws `SESSION_EXPIRED` (401) when the session is over
   */
  async find(request: Request): Promise<SignedIn | undefined> {
    const token = this.tokenOf(request)
    if (token === undefined) return undefined
    const signedIn = await this.#lookUp(token)
    if (!signedIn || Date.parse(signedIn.session.expiresAt) <= this.#clock.now().getTime()) throw sessionExpired({})
    return signedIn
  }

  /** The session's token, when the cookie's signature is ours. */
  tokenOf(request: Request): string | undefined {
    const value = cookieValue(request.headers.get('cookie') ?? '', this.#cookie)
    const dot = value?.lastIndexOf('.') ?? -1
    if (value === undefined || dot < 1) return undefined
    const token = value.slice(0, dot)
    const signature = Buffer.from(value.slice(dot + 1), 'base64')
    const expected = createHmac('sha256', this.#secret).update(token).digest()
    return signature.length === expected.length && timingSafeEqual(signature, expected) ? token : undefined
  }

  /** Forgets one session, or all of them. */
  drop(token?: string): void {
    if (token === undefined) this.#kept.clear()
    else this.#kept.delete(token)
  }

  #lookUp(token: string): Promise<SignedIn | undefined> {
    const kept = this.#kept.get(token)
    if (kept && performance.now() < kept.until) return kept.signedIn
    if (this.#kept.size >= mostKept) this.#kept.clear()
    const signedIn = this.#load(token)
    this.#kept.set(token, { until: performance.now() + keptFor, signedIn })
    signedIn.catch(() => this.#kept.delete(token))
    return signedIn
  }

  async #load(token: string): Promise<SignedIn | undefined> {
    const { rows } = await sql<Row>`
      select s.id, s.user_id, s.workspace as current, s.expires_at, s.created_at, s.seen_at, s.strong, s.present_at, s.provider, s.bound_to, m.name, m.email, m.locale, m.last_seen_at,
        case when s.provider is null then ${exclusiveProvider} end as only_through,
        case when w.id is null then null else ${workspaceJson('w')} end as workspace,
        case when vw.id is null then null else jsonb_build_object('id', s.viewing, 'user', s.viewed, 'name', v.name,
          'until', to_char(s.viewed_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'workspace', ${workspaceJson('vw')}) end as viewing
      from core.session s
      left join core.member m on m.id = s.user_id and m.state = 'active' and m.deleted_at is null
        and (s.bound_to is null or m.workspace = s.bound_to)
      left join core.workspace w on w.id = m.workspace
      left join core.workspace vw on vw.id = s.viewed_in
      left join core.member v on v.workspace = s.viewed_in and v.id = s.viewed and v.state = 'active' and v.deleted_at is null
      where s.token = ${token}
        -- However late it was opened: what a provider vouched for holds while the provider is on.
        and (s.provider is null or exists (select from core.identity_provider p
          where p.id = s.provider and p.enabled and p.deleted_at is null))
      order by m.created_at, w.id`.execute(this.#owner)
    const [first] = rows
    if (!first) return undefined
    const session: Session = {
      id: first.id,
      token,
      user: first.user_id,
      workspace: first.current ?? undefined,
      expiresAt: first.expires_at,
      createdAt: first.created_at,
      seenAt: first.seen_at,
      strong: first.strong,
      presentAt: first.present_at,
      provider: first.provider ?? undefined,
      boundTo: first.bound_to ?? undefined,
      ...(first.viewing
        ? { viewing: { ...first.viewing, name: first.viewing.name ?? undefined, viewer: first.name ?? '' } }
        : {}),
    }
    const memberships = rows.flatMap(({ workspace, name, email, locale, last_seen_at, only_through }) =>
      workspace ? [{ workspace, name, email, locale, lastSeenAt: last_seen_at, onlyThrough: only_through }] : [],
    )
    return { session, memberships }
  }
}

/**
 * The workspace a request is for: the one it names, else the one the session was switched to, else the first that is open.
 *
 * @throws `NO_WORKSPACE`, `WORKSPACE_NOT_YOURS`, `SIGN_ON_NEEDED` (403)
 */
export function chosenMembership({ session, memberships }: SignedIn, asked: string | undefined): Membership {
  const first = memberships.find(({ onlyThrough }) => onlyThrough === null) ?? memberships[0]
  if (!first) throw noWorkspace({})
  const chosen =
    asked === undefined
      ? (memberships.find(({ workspace }) => workspace.id === session.workspace) ?? first)
      : memberships.find(({ workspace }) => isNamed(workspace, asked))
  if (!chosen) throw workspaceNotYours({ workspace: asked! })
  const { onlyThrough, workspace } = chosen
  if (onlyThrough !== null) throw signOnNeeded({ provider: onlyThrough, workspace: workspace.name })
  return chosen
}

export function isNamed(workspace: Workspace, text: string): boolean {
  return workspace.id === text || workspace.slug === text
}

export function cookieValue(header: string, name: string): string | undefined {
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals < 0 || part.slice(0, equals).trim() !== name) continue
    const value = part.slice(equals + 1).trim()
    try {
      return decodeURIComponent(value)
    } catch {
      return undefined
    }
  }
  return undefined
}
