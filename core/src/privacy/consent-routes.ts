import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { defineRoute, type RouteDefinition } from '../plugins/define-plugin.ts'
import type { RecordEngine } from '../records/engine.ts'
import { lockRecord } from '../records/write.ts'
import { addressOf, channels, hashOf } from './addresses.ts'
import { ConsentService } from './consent-service.ts'
import { addressOfAnother, addressUnreadable } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'

/** The name of a topic, a text or a way: words about a person have no place in a proof that stays. */
const thing = z
  .string()
  .max(120)
  .regex(/^[\p{L}\p{N}._:/-]+$/u)

const personResource = z.enum(['core.contact', 'core.lead'])
const state = z.object({
  channel: z.enum(['mail', 'sms', 'phone', 'post']),
  scope: z.string(),
  state: z.enum(['open', 'suppressed', 'opted-out']),
  since: z.string().nullable(),
  optOut: z.uuid().nullable(),
})
const entry = z.object({
  id: z.uuid(),
  channel: z.enum(channels),
  scope: z.string(),
  action: z.enum(['objection', 'withdrawal', 'reversal']),
  source: z.string(),
  at: z.string(),
  recordedAt: z.string(),
  /** Name of who recorded it, where it was a person of this workspace. */
  recordedBy: z.string().nullable(),
  wordingId: z.string().nullable(),
  wording: z.string().nullable(),
  wordingHash: z.string().nullable(),
  hash: z.string(),
})
const consent = z.strictObject({
  person: z.strictObject({ resource: personResource, record: z.uuid() }).optional(),
  address: z.string().min(3).max(254).optional(),
  channel: z.enum(channels),
  scope: thing.optional(),
  action: z.enum(['objection', 'withdrawal', 'reversal']),
  source: thing,
  wording: z.strictObject({ id: thing.optional(), text: z.string().min(1).max(10_000) }).optional(),
  proofKey: z.string().min(1).max(200).optional(),
  at: z.iso.datetime({ offset: true }).optional(),
})
const suppression = z.object({
  address: z.string(),
  channel: z.enum(channels),
  reason: z.enum(['erased', 'complaint', 'bounce', 'manual']),
  at: z.string(),
  liftedAt: z.string().nullable(),
  liftReason: z.string().nullable(),
})

/** What was said by a person, with its proof: whoever may see the person may see it. */
export async function historyOf(ctx: Context, resource: string, record: string): Promise<z.infer<typeof entry>[]> {
  const { rows } = await sql<z.infer<typeof entry>>`
    select o.id, o.channel, o.scope, o.action, o.source, o.at, o.recorded_at as "recordedAt", m.name as "recordedBy",
      o.wording_id as "wordingId", w.wording, encode(o.wording_hash, 'hex') as "wordingHash", encode(o.hash, 'hex') as hash
    from core.same_person(${resource}, ${record}::uuid) p
    join core.opt_out o on o.workspace = ${ctx.workspace.id}::uuid and o.person = p.record and o.person_resource = p.resource
    left join core.consent_wording w on w.workspace = o.workspace and w.hash = o.wording_hash
    left join core.member m on m.workspace = o.workspace and m.id = o.recorded_by
    order by o.at desc, o.position desc limit 500`.execute(ctx.sql)
  return rows
}

export function consentRoutes(keys: () => PrivacyKeys): readonly RouteDefinition[] {
  const hashIn = (ctx: Context, channel: (typeof channels)[number], typed: string): Buffer => {
    const address = addressOf(channel, typed, ctx.workspace.zone)
    if (!address) throw addressUnreadable({ channel })
    return hashOf(keys(), ctx.workspace.id, address)
  }
  /** Who may change one person speaks for that one: an address of somebody else's is not theirs to open. */
  const demandOwnAddress = async (ctx: Context, { person, address, channel }: z.infer<typeof consent>) => {
    if (!person || address === undefined || ctx.authority.may('core.privacy.manage')) return
    const typed = addressOf(channel, address, ctx.workspace.zone)
    const own = await new ConsentService(ctx, keys()).addressesOf(person)
    if (!own.some(({ kind, value }) => kind === typed?.kind && value === typed.value)) throw addressOfAnother({})
  }
  return [
    defineRoute({
      method: 'get',
      path: '/privacy/consents',
      permission: 'authenticated',
      summary: 'Who may write to a person by which channel, now or at an instant, and what was said',
      query: z.object({ resource: personResource, person: z.uuid(), at: z.iso.datetime({ offset: true }).optional() }),
      answer: z.object({ data: z.object({ state: z.array(state), history: z.array(entry) }) }),
      handle: async ({ query: { resource, person, at } }, ctx) => {
        await ctx.records.get(resource, person, { fields: [] })
        const consents = new ConsentService(ctx, keys())
        const states = await consents.stateAt({ resource, record: person }, at)
        return { data: { state: [...states], history: await historyOf(ctx, resource, person) } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/consents',
      permission: 'authenticated',
      summary: 'Record an objection, a withdrawal or its reversal with its proof',
      body: consent,
      answer: z.object({ data: z.object({ id: z.uuid(), recorded: z.boolean() }) }),
      status: 201,
      handle: async ({ body }, ctx) => {
        if (body.person) {
          const { scope } = ctx.records as RecordEngine
          await lockRecord(scope, scope.catalog.of(body.person.resource), body.person.record, 'update')
          await demandOwnAddress(ctx, body)
        } else if (!ctx.authority.may('core.privacy.manage')) {
          throw permissionDenied({ permission: 'core.privacy.manage' })
        }
        return { data: await new ConsentService(ctx, keys()).record(body) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/privacy/consents/verification',
      permission: 'core.privacy.read',
      summary: 'Walk the chain of objections anew',
      answer: z.object({ data: z.object({ checked: z.int(), fault: z.int().nullable() }) }),
      handle: async (_, ctx) => {
        const { rows } = await sql<{ checked: number; fault: number | null }>`
          select (select count(*) from core.opt_out where workspace = ${ctx.workspace.id}::uuid)::integer as checked,
            core.opt_out_fault(${ctx.workspace.id}::uuid)::integer as fault`.execute(ctx.sql)
        return { data: rows[0] ?? { checked: 0, fault: null } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/privacy/suppressions',
      permission: 'core.privacy.manage',
      summary: 'Whether an address is suppressed: only its keyed hash is kept, so ask by the address',
      query: z.object({ address: z.string().min(3).max(254), channel: z.enum(channels).optional() }),
      answer: z.object({ data: z.array(suppression) }),
      handle: async ({ query: { address, channel = 'any' } }, ctx) => {
        const { rows } = await sql<Omit<z.infer<typeof suppression>, 'address'>>`
          select channel, reason, at, lifted_at as "liftedAt", lift_reason as "liftReason" from core.suppression
          where workspace = ${ctx.workspace.id}::uuid and address_hash = ${hashIn(ctx, channel, address)} order by channel`.execute(
          ctx.sql,
        )
        return { data: rows.map((row) => ({ address, ...row })) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/suppressions',
      permission: 'core.privacy.manage',
      summary: 'Suppress an address, whoever it belongs to',
      body: z.strictObject({
        address: z.string().min(3).max(254),
        channel: z.enum(channels),
        reason: z.enum(['complaint', 'bounce', 'manual']).optional(),
      }),
      answer: z.object({ data: suppression }),
      status: 201,
      handle: async ({ body: { address, channel, reason = 'manual' } }, ctx) => {
        const at = ctx.clock.now().toISOString()
        await suppress(ctx, { hash: hashIn(ctx, channel, address), channel, reason, at })
        return { data: { address, channel, reason, at, liftedAt: null, liftReason: null } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/suppressions/lift',
      permission: 'core.privacy.manage',
      summary: 'Lift the suppression of an address, with the reason',
      body: z.strictObject({
        address: z.string().min(3).max(254),
        channel: z.enum(channels),
        reason: z.string().min(3).max(500),
      }),
      answer: z.object({ data: z.object({ lifted: z.int() }) }),
      handle: async ({ body: { address, channel, reason } }, ctx) => {
        const { rows: standing } = await sql<{ reason: string }>`
          select reason from core.suppression
          where workspace = ${ctx.workspace.id}::uuid and address_hash = ${hashIn(ctx, channel, address)} and channel = ${channel} and lifted_at is null for update`.execute(
          ctx.sql,
        )
        // Somebody asked to be forgotten: who may do that may undo it.
        if (standing[0]?.reason === 'erased' && !ctx.authority.may('core.privacy.erase'))
          throw permissionDenied({ permission: 'core.privacy.erase' })
        const { rows } = await sql`
          update core.suppression set lifted_at = ${ctx.clock.now().toISOString()}::timestamptz, lifted_by = ${ctx.actor.id ?? null}::uuid, lift_reason = ${reason}
          where workspace = ${ctx.workspace.id}::uuid and address_hash = ${hashIn(ctx, channel, address)} and channel = ${channel} and lifted_at is null
          returning 1`.execute(ctx.sql)
        return { data: { lifted: rows.length } }
      },
    }),
  ]
}

/** Keeps an address from being written to; one that was lifted is suppressed anew, and an erasure outweighs what was before. */
export async function suppress(
  ctx: Context,
  it: {
    readonly hash: Buffer
    readonly channel: (typeof channels)[number]
    readonly reason: z.infer<typeof suppression>['reason']
    readonly at: string
  },
): Promise<void> {
  const by = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
  await sql`
    insert into core.suppression (workspace, address_hash, channel, reason, at, by_user)
    values (${ctx.workspace.id}::uuid, ${it.hash}, ${it.channel}, ${it.reason}, ${it.at}::timestamptz, ${by}::uuid)
    on conflict (workspace, address_hash, channel) do update
      set reason = excluded.reason, at = excluded.at, by_user = excluded.by_user, lifted_at = null, lifted_by = null, lift_reason = null
      where suppression.lifted_at is not null or (excluded.reason = 'erased' and suppression.reason <> 'erased')`.execute(
    ctx.sql,
  )
}
