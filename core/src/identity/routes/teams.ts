import { z } from 'zod'
import type { Context } from '../../context.ts'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import type { RecordJson } from '../../records/records.ts'
import { MembershipService } from '../membership-service.ts'
import { teams } from '../resources.ts'
import { TeamService } from '../team-service.ts'
import { byId, given, ids, listQuery, name, recordAnswer } from './schemas.ts'

const permission = 'core.user.manage'

const teamChange = z.strictObject({
  name: name.optional(),
  parent: z.uuid().nullable().optional(),
  lead: z.uuid().nullable().optional(),
  members: ids.optional(),
})
/** Of whom a list of members was made, for a change that stands beside those of others. */
const seen = { membersSeen: ids.optional() }

async function shown(ctx: Context, records: readonly RecordJson[]): Promise<RecordJson[]> {
  const members = await new TeamService(ctx).membersOf(records.map(({ id }) => id))
  return records.map((record) => ({ ...record, lead: record['owner'] ?? null, members: members.get(record.id) ?? [] }))
}

const day = z.iso.date()
const membership = z.object({
  id: z.string(),
  version: z.number(),
  user: z.string(),
  name: z.string(),
  from: z.string(),
  to: z.string().nullable(),
})
const inTeam = byId.extend({ membership: z.uuid() })

export const teamRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'get',
    path: '/teams',
    permission: 'authenticated',
    summary: 'Teams, who leads them and who is in them today',
    query: listQuery,
    answer: z.object({ data: z.array(recordAnswer), page: z.unknown(), included: z.unknown() }),
    handle: async ({ query }, ctx) => {
      const page = await ctx.records.list(teams, { sort: 'name', limit: 200, ...given(query) })
      return { ...page, data: await shown(ctx, page.data) }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/teams',
    permission,
    summary: 'Make a team',
    body: teamChange.extend({ name }),
    status: 201,
    answer: z.object({ data: recordAnswer }),
    handle: async ({ body }, ctx) => ({
      data: (await shown(ctx, [await new TeamService(ctx).create(given(body))]))[0]!,
    }),
  }),
  defineRoute({
    method: 'patch',
    path: '/teams/:id',
    permission,
    summary: 'Change a team; members not listed leave it today',
    params: byId,
    body: teamChange.extend({ ...seen, version: z.int().optional() }),
    answer: z.object({ data: recordAnswer }),
    handle: async ({ params: { id }, body: { version, ...body } }, ctx) => ({
      data: (await shown(ctx, [await new TeamService(ctx).change(id, given(body), version)]))[0]!,
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/teams/:id',
    permission,
    summary: 'Remove a team that has neither members nor teams below it',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new TeamService(ctx).remove(id),
  }),
  defineRoute({
    method: 'get',
    path: '/teams/:id/memberships',
    permission,
    summary: 'Who was, is and will be in a team, by days',
    params: byId,
    answer: z.object({ data: z.array(membership) }),
    handle: async ({ params: { id } }, ctx) => ({ data: await new MembershipService(ctx).list(id) }),
  }),
  defineRoute({
    method: 'post',
    path: '/teams/:id/memberships',
    permission,
    summary: 'Put a user into a team, from a day on and until another is over',
    params: byId,
    body: z.strictObject({ user: z.uuid(), from: day.optional(), to: day.nullable().optional() }),
    status: 201,
    answer: z.object({ data: membership }),
    handle: async ({ params: { id }, body }, ctx) => ({
      data: await new MembershipService(ctx).add(id, given(body)),
    }),
  }),
  defineRoute({
    method: 'patch',
    path: '/teams/:id/memberships/:membership',
    permission,
    summary: 'Change the days of a membership',
    params: inTeam,
    body: z.strictObject({ from: day.optional(), to: day.nullable().optional() }),
    answer: z.object({ data: membership }),
    handle: async ({ params, body }, ctx) => ({
      data: await new MembershipService(ctx).change(params.id, params.membership, given(body)),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/teams/:id/memberships/:membership',
    permission,
    summary: 'Take back a membership, as if it had not been',
    params: inTeam,
    answer: z.void(),
    handle: async ({ params }, ctx) => new MembershipService(ctx).remove(params.id, params.membership),
  }),
  defineRoute({
    method: 'put',
    path: '/teams/:id/members',
    permission,
    summary: 'Put exactly these users into a team, from today',
    params: byId,
    body: z.strictObject({ members: ids, ...seen }),
    answer: z.object({ data: recordAnswer }),
    handle: async ({ params: { id }, body }, ctx) => ({
      data: (await shown(ctx, [await new TeamService(ctx).change(id, given(body))]))[0]!,
    }),
  }),
]
