import { sql } from 'kysely'
import type { Workspace } from '../../actor.ts'
import type { Sql } from '../../database/database.ts'
import { graceDays, type ProviderKind } from '../entities/identity-provider.ts'
import { domainOf } from '../email-domain.ts'
import { signOnUnknown } from '../errors.ts'
import { workspaceJson } from '../sessions.ts'

/** An identity provider as sign-in needs it. */
export interface Provider {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly kind: ProviderKind
  readonly enabled: boolean
  readonly workspace: Workspace
  readonly strong: boolean
  /** Domains it speaks for: those its company has proved to be its own. */
  readonly domains: readonly string[]
  /** Domains it was given, proved or not. */
  readonly wantedDomains: readonly string[]
  /** Proved ones whose proof is gone: nobody new comes in by them. */
  readonly suspendedDomains: readonly string[]
  readonly admission: 'invited' | 'anyone'
  readonly role: string | null
  readonly joinTeam: string | null
  readonly issuer: string
  readonly clientId: string | null
  /** Client secret, sealed. */
  readonly sealed: string | null
  readonly entryPoint: string | null
  readonly certificates: readonly string[]
  /** Attribute of SAML that names an account for good; the persistent name id when null. */
  readonly subjectAttribute: string | null
}

/** What a provider says of who signed in with it. */
export interface Voucher {
  readonly issuer: string
  /** Names the account at the provider for good. */
  readonly subject: string
  readonly email: string | undefined
  /** Whether the provider has verified that the address is theirs. */
  readonly isVerified: boolean
  readonly name: string | undefined
  /** When the provider last asked them who they are; undefined where it does not say. */
  readonly authenticatedAt: string | undefined
}

/** A button on the sign-in page. */
export interface ProviderButton {
  readonly id: string
  readonly name: string
  readonly workspace: string
}

/** The providers that are on, of all workspaces: whoever signs in has not said yet where they work. */
export class Providers {
  readonly #owner: Sql

  constructor(owner: Sql) {
    this.#owner = owner
  }

  /** @throws `SIGN_ON_UNKNOWN` (404), also for one that is off */
  async demand(id: string): Promise<Provider> {
    const found = await this.find(id)
    if (!found?.enabled) throw signOnUnknown({})
    return found
  }

  /** On or off; undefined when there is none. */
  async find(id: string): Promise<Provider | undefined> {
    const { rows } = await sql<Provider>`
      select p.id, p.version, p.name, p.kind, p.enabled, ${workspaceJson('w')} as workspace, p.strong, p.proved_domains as domains,
        p.domains as "wantedDomains", p.admission,
        array(select m.key from jsonb_each(p.missed_proofs) m where (m.value ->> 'days')::integer >= ${graceDays}::integer)::text[] as "suspendedDomains",
        p.role_id as role, p.join_team as "joinTeam", p.issuer, p.client_id as "clientId", s.sealed,
        p.entry_point as "entryPoint", p.certificates, p.subject_attribute as "subjectAttribute"
      from core.identity_provider p join core.workspace w on w.id = p.workspace
      left join core.identity_provider_secret s on s.provider = p.id
      where p.id::text = ${id} and p.deleted_at is null`.execute(this.#owner)
    return rows[0]
  }

  /** Those everybody is shown; with an address, those that may vouch for it. */
  async buttons(email?: string): Promise<ProviderButton[]> {
    const which = email === undefined ? sql`p.shown` : sql`p.proved_domains ? ${domainOf(email)}`
    const { rows } = await sql<ProviderButton>`
      select p.id, p.name, w.name as workspace from core.identity_provider p join core.workspace w on w.id = p.workspace
      where p.enabled and p.deleted_at is null and ${which} order by p.name collate "und-x-icu", p.id limit 20`.execute(
      this.#owner,
    )
    return rows
  }
}
