import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { defineRoute, type RouteDefinition } from '../plugins/define-plugin.ts'
import type { RecordEngine } from '../records/engine.ts'
import { lockRecord } from '../records/write.ts'
import { addressOf, channels, channelsOf, hashOf, hashSet, type Channel } from './addresses.ts'
import { ConsentService } from './consent-service.ts'
import { personResources, type Person } from './consents.ts'
import { addressOfAnother, addressUnreadable } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'
import { demandPerson } from './person.ts'
import { liftSuppressions, suppress, suppressionReasons, suppressionsOf, type Suppression } from './suppressions.ts'

/** The name of a topic, a text or a way: words about a person have no place in a proof that stays. */
const thing = z
  .string()
  .max(120)
  .regex(/^[\p{L}\p{N}._:/-]+$/u)

const personResource = z.enum(personResources)
const state = z.object({
  channel: z.enum(['mail', 'sms', 'phone', 'post']),
  scope: z.string(),
  state: z.enum(['open', 'suppressed', 'opted-out']),
  since: z.string().nullable(),
  optOut: z.uuid().nullable(),
})
const entry = z.object({
  id: z.uuid(),
  /** Whether they said it, or it was said about an address they have. */
  by: z.enum(['person', 'address']),
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
  reason: z.enum(suppressionReasons),
  at: z.string(),
  liftedAt: z.string().nullable(),
  liftReason: z.string().nullable(),
})

const typedAddress = z.string().min(3).max(254)

const told = (address: string, standing: readonly Suppression[]) => standing.map((row) => ({ address, ...row }))

/**
 * What was said by a person and about the addresses they have, with its proof: whoever may see the person may see it, and
 * what was said about an address whoever may read that one.
 */
export async function historyOf(ctx: Context, keys: PrivacyKeys, person: Person): Promise<z.infer<typeof entry>[]> {
  const { catalog } = (ctx.records as RecordEngine).scope
  const resource = catalog.of(person.resource)
  const access = ctx.authority.compile(resource, 'read')
  const reads = (...fields: readonly string[]) =>
    fields.every((name) => !resource.fields.has(name) || (access.readable(name) && !access.masked(name)))
  const isRead = { email: reads('email'), phone: reads('phone', 'mobile'), post: false }
  const addresses = await new ConsentService(ctx, keys).addressesOf(person)
  const hashes = addresses.filter(({ kind }) => isRead[kind]).map((it) => hashOf(keys, ctx.workspace.id, it))
  // One who shares a mailbox may be named in the words that were theirs.
  const isTheirs = sql`(said.by = 'person' or o.person is null or ${ctx.authority.may('core.privacy.read')}::boolean)`
  const { rows } = await sql<z.infer<typeof entry>>`
    select o.id, said.by, o.channel, o.scope, o.action, o.source, o.at, o.recorded_at as "recordedAt", m.name as "recordedBy",
      o.wording_id as "wordingId", case when ${isTheirs} then w.wording end as wording, encode(o.wording_hash, 'hex') as "wordingHash",
      encode(o.hash, 'hex') as hash
    from (
      select all_said.id, max(all_said.by) as by from (
        select s.id, 'person' as by from core.same_person(${person.resource}, ${person.record}::uuid) p
          join core.opt_out s on s.workspace = ${ctx.workspace.id}::uuid and s.person = p.record and s.person_resource = p.resource
        union all
        select s.id, 'address' from ${hashSet(hashes)} a
          join core.opt_out s on s.workspace = ${ctx.workspace.id}::uuid and s.address_hash = a.hash) all_said
      group by all_said.id) said
    join core.opt_out o on o.workspace = ${ctx.workspace.id}::uuid and o.id = said.id
    left join core.consent_wording w on w.workspace = o.workspace and w.hash = o.wording_hash
    left join core.member m on m.workspace = o.workspace and m.id = o.recorded_by
    order by o.at desc, o.position desc limit 500`.execute(ctx.sql)
  return rows
}

export function consentRoutes(keys: () => PrivacyKeys): readonly RouteDefinition[] {
  const hashIn = (ctx: Context, typed: string, channel: Channel = 'any') => {
    const address = addressOf(channel, typed, ctx.workspace.zone)
    if (!address) throw addressUnreadable({ channel })
    return { hash: hashOf(keys(), ctx.workspace.id, address), kind: address.kind }
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
        await demandPerson(ctx, { resource, record: person })
        const consents = new ConsentService(ctx, keys())
        const states = await consents.stateAt({ resource, record: person }, at)
        return { data: { state: [...states], history: await historyOf(ctx, keys(), { resource, record: person }) } }
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
          await demandPerson(ctx, body.person)
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
      method: 'post',
      path: '/privacy/suppressions/query',
      permission: 'core.privacy.manage',
      // An address stands in no place that servers on the way write down.
      summary: 'Whether an address is suppressed: only its keyed hash is kept, so ask by the address',
      body: z.strictObject({ address: typedAddress, channel: z.enum(channels).optional() }),
      answer: z.object({ data: z.array(suppression) }),
      handle: async ({ body: { address, channel } }, ctx) => ({
        data: told(address, await suppressionsOf(ctx, hashIn(ctx, address, channel).hash)),
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/suppressions',
      permission: 'core.privacy.manage',
      summary: 'Suppress an address, whoever it belongs to: by a channel, or by every one that reaches it',
      body: z.strictObject({
        address: typedAddress,
        channel: z.enum(channels).optional(),
        reason: z.enum(['complaint', 'bounce', 'manual']).optional(),
      }),
      answer: z.object({ data: z.array(suppression) }),
      status: 201,
      handle: async ({ body: { address, channel, reason = 'manual' } }, ctx) => {
        const { hash, kind } = hashIn(ctx, address, channel)
        const at = ctx.clock.now().toISOString()
        const asked: readonly Channel[] = channel === undefined ? channelsOf[kind] : [channel]
        for (const one of asked) await suppress(ctx, { hash, channel: one, reason, at })
        const standing = await suppressionsOf(ctx, hash)
        return {
          data: told(
            address,
            standing.filter((it) => asked.includes(it.channel)),
          ),
        }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/privacy/suppressions/lift',
      permission: 'core.privacy.manage',
      summary: 'Lift the suppression of an address, with the reason: by a channel, or by all of them',
      body: z.strictObject({
        address: typedAddress,
        channel: z.enum(channels).optional(),
        reason: z.string().trim().min(3).max(500),
      }),
      answer: z.object({ data: z.object({ lifted: z.int() }) }),
      handle: async ({ body: { address, channel, reason } }, ctx) => {
        const { hash } = hashIn(ctx, address, channel)
        return { data: { lifted: await liftSuppressions(ctx, { hash, channel, reason }) } }
      },
    }),
  ]
}
