import { Hono } from 'hono'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { Kernel } from '../kernel.ts'
import { isResourceAction } from '../permissions/authority.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { explain, whyTheySee, type Line, type Member, type Verdict } from '../permissions/explain/explain.ts'
import { isAboutRow, type Asked } from '../permissions/explain/question.ts'
import { Truths } from '../permissions/explain/truths.ts'
import { overseers } from '../permissions/overseers.ts'
import { demandMayShare } from '../permissions/sharing/share-service.ts'
import { queryInvalid, recordNotFound } from '../records/errors.ts'
import { parsed } from './parsed.ts'
import { engineOf, unitOf } from './resource-routes.ts'
import type { PluginEnv, RequestFacts } from './who.ts'

const question = z.strictObject({
  actor: z.uuid().optional(),
  resource: z.string().min(1).max(120),
  action: z.string().min(1).max(60),
  record: z.uuid().optional(),
  field: z.string().max(120).optional(),
})
const readersQuery = z.strictObject({
  resource: z.string().min(1).max(120),
  record: z.uuid(),
  after: z.string().max(400).optional(),
})

/** People one answer names at most, and those looked at together. */
const pageSize = 50
/** Each look is a handful of statements, however many people it is at. */
const batch = 200
/** People looked at for one answer: of a company of thousands few may see a record. */
const mostLookedAt = 1_000

/** `/explain`: why somebody may or may not, and who sees a record and why. */
export function explainRoutes(kernel: Kernel): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const { authorities } = kernel.parts
  const oversees = ({ who }: RequestFacts) => overseers.some((it) => who.authority.may(it))
  const reading = <T>(facts: RequestFacts, raw: Request, work: (ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts, raw, plugin: 'core', readonly: true }, work)

  app.get('/explain', async (request) => {
    const { facts } = request.env
    const { actor, workspace } = facts.who
    const query = parsed(question, request.req.query())
    const whose = query.actor?.toLowerCase() ?? actor.id
    const isSelf = (actor.type === 'user' || actor.type === 'key') && whose === actor.id
    if (whose === undefined || (!isSelf && !oversees(facts))) throw permissionDenied({ permission: 'core.role.manage' })
    const { role, ...member } = await reading(facts, request.req.raw, (ctx) => holderOf(ctx, whose))
    // Read between the units: it takes a transaction of its own, and an embedded database has but one.
    const sources = await (role === null
      ? authorities.sources(workspace, whose)
      : authorities.sourcesOfKey(workspace, role))
    const data = await reading(facts, request.req.raw, async (ctx) => {
      const asked = askedOf(kernel, ctx, query)
      const row = await rowOf(ctx, asked, query.record)
      const verdict = await explain(
        ctx,
        { asked, ...row },
        { authorities, sources, member, tellsRoles: oversees(facts) },
      )
      return {
        actor: member,
        resource: query.resource,
        action: query.action,
        record: row.record ?? null,
        field: query.field ?? null,
        ...verdict,
      }
    })
    return request.json({ data })
  })

  app.get('/explain/readers', async (request) => {
    const { facts } = request.env
    const { resource, record, after } = parsed(readersQuery, request.req.query())
    const { workspace } = facts.who
    const place = after === undefined ? undefined : placeOf(after)
    const asked: Asked = await reading(facts, request.req.raw, async (ctx) => {
      const it = askedOf(kernel, ctx, { resource, action: 'read' })
      const row = await rowOf(ctx, it, record)
      // Who hears nothing of the record hears nothing of who sees it.
      if (!row.record) throw recordNotFound({ resource: it.resource?.entity ?? 'record', id: record })
      if (!oversees(facts)) await demandMayShare(ctx, { resource, records: [record] })
      return it
    })
    const found: Reader[] = []
    let last = place
    let isEnd = false
    let looked = 0
    while (found.length < pageSize && looked < mostLookedAt && !isEnd) {
      const members = await reading(facts, request.req.raw, (ctx) => membersAfter(ctx, last))
      looked += members.length
      const rights = await authorities.ofMembers(
        workspace,
        members.map(({ id }) => id),
      )
      const seen = await reading(facts, request.req.raw, async (ctx) => {
        const model = asked.resource!
        const truths = new Truths()
        const holds = rights.map((authority) => truths.of(authority.compile(model, 'read').where('t')))
        await truths.ask(engineOf(ctx).scope, model, record)
        return holds.map((it) => it())
      })
      const room = pageSize - found.length
      const those = members.filter((_, at) => seen[at]).slice(0, room)
      const sources = await authorities.sourcesOf(
        workspace,
        those.map(({ id }) => id),
      )
      const reasons = await reading(facts, request.req.raw, (ctx) =>
        whyTheySee(
          ctx,
          { asked, record },
          those.map((member, at) => ({ authorities, sources: sources[at]!, member, tellsRoles: false })),
        ),
      )
      for (const [at, { id, name }] of those.entries())
        found.push({ id, name, because: (reasons[at] ?? []).map(withoutTree) })
      const isFull = those.length === room && those.length < seen.filter(Boolean).length
      last = isFull ? those.at(-1) : (members.at(-1) ?? last)
      isEnd = !isFull && members.length < batch
    }
    return request.json({
      data: found,
      page: { next: isEnd || !last ? null : JSON.stringify({ name: last.name, id: last.id }) },
    })
  })
  return app
}

interface Reader {
  readonly id: string
  readonly name: string
  readonly because: readonly Line[]
}

interface Place {
  readonly name: string
  readonly id: string
}

const withoutTree = ({ because: _, ...line }: Verdict['decides']): Line => line

function placeOf(text: string): Place {
  try {
    return z.strictObject({ name: z.string(), id: z.uuid() }).parse(JSON.parse(text))
  } catch {
    throw queryInvalid({ parameter: 'after', value: text.slice(0, 60), expected: 'what "next" answered' })
  }
}

/** A member, or an API key with the role it has. A key is over with the first of those it came from. */
async function holderOf(
  { sql: tx, workspace, clock }: Context,
  id: string,
): Promise<Member & { readonly role: string | null }> {
  const { rows } = await sql<Member & { role: string | null }>`
    select id, name, state, null::uuid as role from core.member
    where workspace = ${workspace.id}::uuid and id = ${id}::uuid and deleted_at is null
    union all
    select k.id, k.name, case when exists (
        select from core.key_chain(k.id) c where c.revoked_at is not null or c.deleted_at is not null
          or c.expires_at <= ${clock.now().toISOString()}::timestamptz) then 'inactive' else 'active' end, k.role_id
    from core.api_key k where k.workspace = ${workspace.id}::uuid and k.id = ${id}::uuid and k.deleted_at is null`.execute(
    tx,
  )
  if (!rows[0]) throw recordNotFound({ resource: 'user', id })
  return rows[0]
}

async function membersAfter({ sql: tx, workspace }: Context, after: Place | undefined): Promise<readonly Member[]> {
  const { rows } = await sql<Member>`
    select id, name, state from core.member
    where workspace = ${workspace.id}::uuid and deleted_at is null and state = 'active'
      ${after ? sql`and (name collate "und-x-icu", id) > (${after.name}, ${after.id}::uuid)` : sql``}
    order by name collate "und-x-icu", id limit ${batch}`.execute(tx)
  return rows
}

/** @throws `QUERY_INVALID` (400) for a kind of record, an action or a field there is not */
function askedOf(
  { parts }: Kernel,
  ctx: Context,
  { resource: id, action, field }: { resource: string; action: string; field?: string | undefined },
): Asked {
  const resource = engineOf(ctx).scope.catalog.get(id)
  const isNamed = parts.plugins.some(({ permissions = [] }) => permissions.some((it) => it.id === `${id}.${action}`))
  if (!resource && !isNamed)
    throw queryInvalid({ parameter: 'resource', value: id, expected: 'a kind of record, such as core.account' })
  if (!isNamed && !isResourceAction(action) && !ofRecords.has(action))
    throw queryInvalid({
      parameter: 'action',
      value: action,
      expected: 'read, create, update, delete, export or share',
    })
  if (field !== undefined && !resource?.fields.has(field))
    throw queryInvalid({ parameter: 'field', value: field, expected: `a field of ${id}` })
  return { resource, id, action, field }
}

/** Named permissions that every kind of record has. */
const ofRecords: ReadonlySet<string> = new Set(['bulk', 'merge', 'share'])

/**
 * The record as far as the asker may hear of it: of one they do not see they are told what they would be told of one that
 * never was.
 */
async function rowOf(
  ctx: Context,
  { resource, action }: Asked,
  record: string | undefined,
): Promise<{ record: string | undefined; deleted: boolean }> {
  if (record === undefined || !resource || !isAboutRow(action)) return { record: undefined, deleted: false }
  const { scope } = engineOf(ctx)
  if (!scope.exists(resource) || !scope.access(resource, 'read').allowed) return { record: undefined, deleted: false }
  const { data } = await ctx.records.get(resource.id, record, { fields: ['deletedAt'] })
  return { record: data.id, deleted: data['deletedAt'] !== null }
}
