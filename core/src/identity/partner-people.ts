import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { Grant } from '../permissions/grant.ts'
import { internalRightIn } from '../permissions/internal-right.ts'
import { defineService } from '../plugins/tokens.ts'
import { defineGuard, type GuardDefinition } from '../records/define-resource.ts'
import { ApiKeyService } from './api-key-service.ts'
import { internalRight, partnersMissing } from './errors.ts'
import { users } from './resources.ts'

export interface PartnerPeople {
  /**
   * Says for which partners a person of this workspace stands: their own first, then those below it. Holds with their next
   * request, and for what they have open. What they took along from where they stood goes: their API keys are revoked, their
   * exports, imports and kept answers deleted.
   *
   * @param partners - ids of the plugin that knows partners; the core looks none of them up
   * @throws `RECORD_NOT_FOUND` (404), `INTERNAL_RIGHT` (409) for somebody with a right of the house's own people,
   *   `PARTNERS_MISSING` (422) without any: `release` makes somebody one of the house
   */
  standFor(user: string, partners: readonly string[]): Promise<void>
  /** Makes a partner's person one of the house. @throws `RECORD_NOT_FOUND` (404) */
  release(user: string): Promise<void>
}
export const PartnerPeople = defineService<PartnerPeople>('core/partner-people@1')

export class PartnerPeopleService implements PartnerPeople {
  readonly #ctx: Context

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  async standFor(user: string, partners: readonly string[]): Promise<void> {
    const all = [...new Set(partners.map((id) => id.toLowerCase()))]
    // Somebody whose last partner was taken away must not see the whole company for it.
    if (all.length === 0) throw partnersMissing({ user })
    await this.#stand(user, all)
  }

  async release(user: string): Promise<void> {
    await this.#stand(user, [])
  }

  async #stand(user: string, partners: readonly string[]): Promise<void> {
    const { records } = this.#ctx.asSystem()
    const { data } = await records.get(users, user)
    await records.update(users, data, { partner: partners[0] ?? null, partners }, { internal: true })
  }
}

/** What somebody made with the rights they had: none of it may reach further than those they have now. */
async function takeAway(system: Context, user: string): Promise<void> {
  const workspace = system.workspace.id
  await new ApiKeyService(system).revokeAllOf(user)
  await sql`
    with pieces as (
      delete from core.file_piece where workspace = ${workspace}::uuid and file in (
        select export from core.export_run where workspace = ${workspace}::uuid and actor_id = ${user}::uuid
        union all select id from core.import where workspace = ${workspace}::uuid and actor_id = ${user}::uuid)),
    exports as (delete from core.export_run where workspace = ${workspace}::uuid and actor_id = ${user}::uuid),
    imports as (delete from core.import where workspace = ${workspace}::uuid and actor_id = ${user}::uuid)
    delete from core.idempotency where workspace = ${workspace}::uuid and actor = ${`user:${user}`}`.execute(system.sql)
}

interface Held {
  readonly name: string
  readonly role: string
  readonly grants: readonly Grant[]
}

/** Refuses the first right of the house's own people among roles that a partner's people hold, or would. */
function refuseInternal(held: readonly Held[]): void {
  for (const { name, role, grants } of held) {
    const permission = internalRightIn(grants)
    if (permission !== undefined) throw internalRight({ name, role, permission })
  }
}

const roleIsForPartners = defineGuard(
  'core.role-assignment',
  ['create', 'update', 'restore'],
  async ({ record }, ctx) => {
    const { rows } = await sql<Held>`
    select m.name, r.name as role, r.grants from core.member m, core.role r
    where m.workspace = ${ctx.workspace.id}::uuid and m.id = ${record['user']}::uuid and m.partner is not null
      and r.workspace = m.workspace and r.id = ${record['role']}::uuid`.execute(ctx.sql)
    refuseInternal(rows)
  },
)

const partnersPersonHoldsNoInternalRole = defineGuard(
  'core.user',
  ['update', 'restore'],
  async ({ record, before, changed }, ctx) => {
    if (!changed.has('partner') || typeof record['partner'] !== 'string') return
    // From one partner to another nobody comes to hold anything: rights that count for nothing stop no merge.
    if (typeof before?.['partner'] === 'string') return
    const { rows } = await sql<Held>`
    select m.name, r.name as role, r.grants from core.role_assignment a
    join core.member m on m.workspace = a.workspace and m.id = a.user_id
    join core.role r on r.workspace = a.workspace and r.id = a.role_id and r.deleted_at is null
    where a.workspace = ${ctx.workspace.id}::uuid and a.user_id = ${record.id}::uuid and a.deleted_at is null`.execute(
      ctx.sql,
    )
    refuseInternal(rows)
  },
)

/** Whatever way they come to stand elsewhere by, a merge of partners and its undoing too. */
const nothingIsTakenAlong = defineGuard('core.user', ['update', 'restore'], async ({ record, changed }, ctx) => {
  if (changed.has('partner') || changed.has('partners')) await takeAway(ctx.asSystem(), record.id)
})

const roleOfPartnersStaysTheirs = defineGuard('core.role', ['update'], async ({ record, changed }, ctx) => {
  const grants = record['grants'] as readonly Grant[]
  if (!changed.has('grants') || internalRightIn(grants) === undefined) return
  const { rows } = await sql<{ name: string }>`
    select m.name from core.role_assignment a
    join core.member m on m.workspace = a.workspace and m.id = a.user_id and m.partner is not null
    where a.workspace = ${ctx.workspace.id}::uuid and a.role_id = ${record.id}::uuid and a.deleted_at is null
    order by m.name limit 1`.execute(ctx.sql)
  refuseInternal(rows.map(({ name }) => ({ name, role: ctx.records.nameOf('core.role', record), grants })))
})

export const partnerGuards: readonly GuardDefinition[] = [
  roleIsForPartners,
  partnersPersonHoldsNoInternalRole,
  nothingIsTakenAlong,
  roleOfPartnersStaysTheirs,
]
