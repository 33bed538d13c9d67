import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Sql } from '../../database/database.ts'
import type { Context } from '../../context.ts'
import { domainOf } from '../email-domain.ts'
import type { MemberState } from '../entities/member.ts'
import {
  signOnConfirmFirst,
  signOnDeactivated,
  signOnDomainLost,
  signOnDomainRefused,
  signOnDomainUnproved,
  signOnEmailMissing,
  signOnEmailUnverified,
  signOnNotInvited,
  signOnOtherAccount,
} from '../errors.ts'
import { foldedEmail } from '../folded-email.ts'
import { UserService } from '../user-service.ts'
import type { Provider, Voucher } from './provider.ts'

/** Whom a provider vouched for, and what becomes of them here. */
export interface Vouched {
  readonly provider: Provider
  readonly voucher: Voucher
  readonly email: string
  readonly name: string
  /** The person it is; undefined for somebody new to the installation. */
  readonly user: string | undefined
  /** What has to be done so that they are in. */
  readonly step: 'none' | 'accept' | 'join'
  /** They work or sign in elsewhere too, and would be in this workspace from now on: that is theirs to say. */
  readonly isNewHere: boolean
  /** The provider's account is theirs already. */
  readonly isLinked: boolean
}

interface Found {
  readonly user: string
  readonly email: string
  readonly state: MemberState | null
  readonly linked: boolean
  /** They sign in by something that is not this workspace's to give. */
  readonly theirs: boolean
}

/**
 * Says who somebody is whom a provider vouches for: the person its account was bound to, or at first the one with the
 * verified address. A provider speaks for one workspace: it may bring its own people in there, but makes nobody a member
 * who signs in elsewhere too, unless they show in the same browser that they are that person.
 *
 * @param present - the person signed in to this browser by a means of their own
 * @throws `SIGN_ON_EMAIL_MISSING`, `SIGN_ON_EMAIL_UNVERIFIED`, `SIGN_ON_DOMAIN_REFUSED`, `SIGN_ON_DOMAIN_UNPROVED`, `SIGN_ON_DEACTIVATED`,
 * `SIGN_ON_NOT_INVITED`, `SIGN_ON_DOMAIN_LOST`, `SIGN_ON_CONFIRM_FIRST` (403), `SIGN_ON_OTHER_ACCOUNT` (409)
 */
export async function vouchedBy(
  owner: Sql,
  provider: Provider,
  voucher: Voucher,
  present: string | undefined,
): Promise<Vouched> {
  const linked = await find(owner, provider, voucher, sql`e.subject = ${voucher.subject}`)
  const found = linked ?? (await find(owner, provider, voucher, sql`lower(u.email) = ${verified(provider, voucher)}`))
  const email = found?.email ?? foldedEmail(voucher.email!)
  const names = { provider: provider.name, workspace: provider.workspace.name, email }
  const domain = domainOf(email)
  if (!provider.domains.includes(domain))
    throw provider.wantedDomains.includes(domain)
      ? signOnDomainUnproved({ ...names, domain })
      : signOnDomainRefused(names)
  if (!linked && found?.linked) throw signOnOtherAccount(names)
  const who = {
    provider,
    voucher,
    email,
    name: (voucher.name ?? email.slice(0, email.indexOf('@'))).slice(0, 200),
    user: found?.user,
    isLinked: linked !== undefined,
  }
  if (found?.state === 'active') return { ...who, step: 'none', isNewHere: false }
  if (found?.state === 'inactive') throw signOnDeactivated(names)
  if (found?.state !== 'invited' && provider.admission !== 'anyone') throw signOnNotInvited(names)
  // Whoever has the domain now may have made the address. Who was invited to it is the company's own word.
  if (found?.state !== 'invited' && provider.suspendedDomains.includes(domain))
    throw signOnDomainLost({ ...names, domain })
  if (found?.theirs && present !== found.user) throw signOnConfirmFirst(names)
  return { ...who, step: found?.state === 'invited' ? 'accept' : 'join', isNewHere: found?.theirs === true }
}

/** The address, as it is looked up. */
function verified(provider: Provider, { email, isVerified }: Voucher): string {
  // Anything else it wrote there is no address, and is repeated to nobody.
  if (email === undefined || !/^[^\s@]{1,64}@[^\s@]{1,189}$/.test(email))
    throw signOnEmailMissing({ provider: provider.name })
  if (!isVerified) throw signOnEmailUnverified({ provider: provider.name, email })
  return foldedEmail(email)
}

async function find(
  owner: Sql,
  { id, workspace }: Provider,
  { issuer }: Voucher,
  which: ReturnType<typeof sql>,
): Promise<Found | undefined> {
  const { rows } = await sql<Found>`
    select u.id as user, u.email, m.state, e.id is not null as linked,
      exists (select from core.credential c where c.user_id = u.id and c.given_by is distinct from ${workspace.id}) or exists (select from core.passkey k where k.user_id = u.id)
        or exists (select from core.external_identity o where o.user_id = u.id and o.workspace <> ${workspace.id})
        or exists (select from core.member o where o.id = u.id and o.workspace <> ${workspace.id} and o.state = 'active'
          and o.accepted_at is not null and o.deleted_at is null) as theirs
    from core."user" u
    left join core.external_identity e on e.user_id = u.id and e.provider = ${id} and e.issuer = ${issuer}
    left join core.member m on m.workspace = ${workspace.id} and m.id = u.id and m.deleted_at is null
    where ${which}`.execute(owner)
  return rows[0]
}

/**
 * Lets in whom a provider vouched for, as a change of theirs: binds the account to the person, and keeps in the ledger
 * through what they came.
 *
 * @returns the user id
 */
export async function letIn(ctx: Context, { provider, voucher, step, ...who }: Vouched): Promise<string> {
  const users = new UserService(ctx)
  const { role, joinTeam } = provider
  const user =
    step === 'join'
      ? await users.join({
          email: who.email,
          name: who.name,
          roles: role === null ? [] : [{ role }],
          teams: joinTeam === null ? [] : [joinTeam],
        })
      : who.user!
  if (step === 'accept') await users.accept(user)
  const now = sql`${ctx.clock.now().toISOString()}::timestamptz`
  await sql`
    insert into core.external_identity (id, workspace, provider, issuer, subject, user_id, created_at, last_used_at)
    values (${uuidv7()}, ${ctx.workspace.id}, ${provider.id}, ${voucher.issuer}, ${voucher.subject}, ${user}, ${now}, ${now})
    on conflict (provider, issuer, subject) do update set last_used_at = excluded.last_used_at`.execute(ctx.sql)
  // Once, with the link: every later sign-in through it stands beside the person, where it collides with no change of theirs.
  if (!who.isLinked) await users.noteVoucher(user, provider.name)
  return user
}
