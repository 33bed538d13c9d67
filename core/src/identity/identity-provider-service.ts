import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { graceDays, type MissedProofs, type ProviderKind } from './entities/identity-provider.ts'
import { DomainLost } from './events.ts'
import { identityProviders } from './resources.ts'
import { pemOf } from './sign-on/certificates.ts'
import type { DomainRecord } from './sign-on/domain-proof.ts'
import type { SignOn } from './sign-on/sign-on.ts'

export interface ProviderValues {
  readonly name?: string
  readonly enabled?: boolean
  readonly shown?: boolean
  readonly exclusive?: boolean
  readonly strong?: boolean
  readonly domains?: readonly string[]
  readonly admission?: 'invited' | 'anyone'
  readonly role?: string | null
  readonly joinTeam?: string | null
  readonly issuer?: string
  readonly clientId?: string | null
  /** Kept sealed, and answered by nothing; null takes it away. */
  readonly clientSecret?: string | null
  readonly entryPoint?: string | null
  /** Attribute of a SAML assertion that names an account for good; its persistent name id when null. */
  readonly subjectAttribute?: string | null
  readonly certificates?: readonly string[]
}

export type NewProvider = ProviderValues & {
  readonly name: string
  readonly kind: ProviderKind
  readonly issuer: string
}

/** A provider as its administrator reads it: the record, what to copy into the provider, and how many came through it. */
export interface ProviderJson extends RecordJson {
  readonly people: number
  readonly redirect: string
  readonly acs: string
  readonly entityId: string
  /** What proves each of its domains, and whether it was found. */
  readonly proofs: readonly (DomainRecord & {
    readonly domain: string
    readonly isProved: boolean
    /** Since when what proved it has not been found, and whether nobody new comes in by it for that. */
    readonly missed: { readonly since: string; readonly isSuspended: boolean } | null
  })[]
}

/** Who vouches for the people of a workspace. */
export class IdentityProviderService {
  readonly #ctx: Context
  readonly #records: Records
  readonly #signOn: SignOn

  /** @throws `PERMISSION_DENIED` (403): who vouches for people can be any of them, so it takes every right over roles too */
  constructor(ctx: Context, signOn: SignOn) {
    if (!ctx.authority.may('core.role.manage')) throw permissionDenied({ permission: 'core.role.manage' })
    this.#ctx = ctx
    this.#records = ctx.asSystem().records
    this.#signOn = signOn
  }

  async list(): Promise<ProviderJson[]> {
    const { data } = await this.#records.list(identityProviders, { sort: 'name', limit: 200 })
    return this.#shown(data)
  }

  async get(id: string): Promise<ProviderJson> {
    const { data } = await this.#records.get(identityProviders, id)
    const [shown] = await this.#shown([data])
    return shown!
  }

  /** @throws `PROVIDER_INCOMPLETE`, `DOMAIN_INVALID`, `CERTIFICATE_INVALID`, `OUTGOING_URL_INVALID` (422) */
  async create({ clientSecret, ...values }: NewProvider): Promise<ProviderJson> {
    const { id } = await this.#records.create(identityProviders, { ...tidy(values), owner: null, team: null })
    if (clientSecret !== undefined) await this.#keepSecret(id, clientSecret)
    return this.get(id)
  }

  /**
   * @throws `VERSION_CONFLICT`, `ADMINISTRATOR_LOCKED_OUT` (409), `PROVIDER_INCOMPLETE`, `DOMAIN_INVALID`,
   * `CERTIFICATE_INVALID`, `OUTGOING_URL_INVALID` (422)
   */
  async change(id: string, { clientSecret, ...values }: ProviderValues, version?: number): Promise<ProviderJson> {
    const before = await this.get(id)
    const target = { id, version: version ?? before.version }
    if (Object.keys(values).length > 0) await this.#records.update(identityProviders, target, tidy(values))
    if (clientSecret !== undefined) await this.#keepSecret(id, clientSecret)
    return this.get(id)
  }

  /** Who came in through it is signed out. @throws `ADMINISTRATOR_LOCKED_OUT` (409) */
  async remove(id: string): Promise<void> {
    await this.#records.remove(identityProviders, await this.get(id))
  }

  /** Keeps that a domain of it was found to be the company's own; of one that was taken away meanwhile nothing. */
  async prove(id: string, domain: string): Promise<ProviderJson> {
    const before = await this.get(id)
    const proved = before['provedDomains'] as readonly string[]
    const { [domain]: missed, ...otherwise } = before['missedProofs'] as MissedProofs
    const isNew = (before['domains'] as readonly string[]).includes(domain) && !proved.includes(domain)
    if (!isNew && !missed) return before
    const values = { provedDomains: [...new Set([...proved, domain])].toSorted(), missedProofs: otherwise }
    await this.#records.update(identityProviders, before, values, { internal: true })
    return this.get(id)
  }

  /**
   * Keeps that what proved a domain was not found today. After some days nobody new comes in by the domain, and it is told;
   * who is in stays in, as the proof of yesterday let them.
   */
  async missProof(id: string, domain: string): Promise<void> {
    const before = await this.get(id)
    const all = before['missedProofs'] as MissedProofs
    const today = this.#ctx.clock.today()
    const { days, since, last } = all[domain] ?? { days: 0, since: today, last: '' }
    if (!(before['provedDomains'] as readonly string[]).includes(domain) || last === today || days >= graceDays) return
    const missedProofs = { ...all, [domain]: { days: days + 1, since, last: today } }
    await this.#records.update(identityProviders, before, { missedProofs }, { internal: true })
    if (days + 1 === graceDays) this.#ctx.emit(DomainLost, { provider: id, domain, since }, { key: id })
  }

  async #keepSecret(id: string, secret: string | null): Promise<void> {
    const { workspace, sql: tx, clock } = this.#ctx
    await sql`delete from core.identity_provider_secret where workspace = ${workspace.id}::uuid and provider = ${id}::uuid`.execute(
      tx,
    )
    if (secret !== null)
      await sql`
        insert into core.identity_provider_secret (provider, workspace, sealed)
        values (${id}, ${workspace.id}, ${this.#signOn.seal(id, secret)})`.execute(tx)
    const { data } = await this.#records.get(identityProviders, id)
    const secretSetAt = secret === null ? null : clock.now().toISOString()
    await this.#records.update(identityProviders, data, { secretSetAt }, { internal: true })
  }

  async #shown(records: readonly RecordJson[]): Promise<ProviderJson[]> {
    const { rows } = await sql<{ provider: string; people: number }>`
      select provider, count(*) as people from core.external_identity where workspace = ${this.#ctx.workspace.id}::uuid
      group by provider`.execute(this.#ctx.sql)
    const people = new Map(rows.map(({ provider, people: count }) => [provider, count]))
    return records.map((record) => ({
      ...record,
      people: people.get(record.id) ?? 0,
      ...this.#signOn.addressesOf(record.id),
      proofs: (record['domains'] as readonly string[]).map((domain) => ({
        domain,
        isProved: (record['provedDomains'] as readonly string[]).includes(domain),
        missed: missedOf(record, domain),
        ...this.#signOn.domains.recordFor(this.#ctx.workspace.id, domain),
      })),
    }))
  }
}

function missedOf(record: RecordJson, domain: string): ProviderJson['proofs'][number]['missed'] {
  const missed = (record['missedProofs'] as MissedProofs)[domain]
  return missed ? { since: missed.since, isSuspended: missed.days >= graceDays } : null
}

/** Domains and certificates as they are compared. */
function tidy<V extends ProviderValues>({ domains, certificates, ...values }: V) {
  return {
    ...values,
    ...(domains === undefined
      ? {}
      : { domains: [...new Set(domains.map((domain) => domain.trim().replace(/^@/, '').toLowerCase()))] }),
    ...(certificates === undefined ? {} : { certificates: [...new Set(certificates.map(pemOf))] }),
  }
}
