import { z } from 'zod'
import type { Context } from '../../context.ts'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import type { RecordJson } from '../../records/records.ts'
import { queryInvalid } from '../../records/errors.ts'
import { users } from '../resources.ts'
import { UserService, type Invited } from '../user-service.ts'
import { byId, given, ids, instant, listQuery, named, recordAnswer, wantedRole } from './schemas.ts'

const permission = 'core.user.manage'
const locale = z.enum(['en', 'fr'])
const roles = z.array(wantedRole).max(100)

const newUser = z.strictObject({
  name: z.string().trim().min(1).max(200),
  email: z.email().max(254),
  password: z.string().max(1_000).optional(),
  locale: locale.optional(),
  roles: roles.optional(),
  teams: ids.optional(),
  team: z.uuid().nullable().optional(),
  partner: z.uuid().nullable().optional(),
})

const userChange = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  locale: locale.optional(),
  manager: z.uuid().nullable().optional(),
  roles: roles.optional(),
  rolesSeen: ids.optional(),
  teams: ids.optional(),
  team: z.uuid().nullable().optional(),
  active: z.boolean().optional(),
  partner: z.uuid().nullable().optional(),
  version: z.int().optional(),
})

const user = recordAnswer
const invitation = newUser.omit({ password: true }).extend({ name: newUser.shape.name.optional() })

/** A way in, and until when it is open. */
const link = z.object({ link: z.string(), expiresAt: z.string() })

const session = z.object({
  id: z.string(),
  userAgent: z.string().nullable(),
  address: z.string().nullable(),
  createdAt: z.string(),
  seenAt: z.string(),
  expiresAt: z.string(),
  strong: z.boolean(),
  through: z.string().nullable(),
})
const externalIdentity = z.object({
  id: z.string(),
  provider: z.string(),
  subject: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string(),
})
const access = z.object({
  roles: z.array(z.object({ id: z.string(), name: z.string(), until: instant })),
  teams: z.array(named.extend({ from: z.string(), to: z.string().nullable(), home: z.boolean() })),
})

/** One team, as the users screen sends it, or several. */
function teamsOf({
  team,
  teams,
}: {
  team?: string | null | undefined
  teams?: string[] | undefined
}): string[] | undefined {
  if (teams) return teams
  if (team === undefined) return undefined
  return team === null ? [] : [team]
}

/** What is told beside the record, and so orders no list. */
const beside = /^-?(?:active|roles|roleEnds|app|passkeys|invitedUntil)$/

/** @throws `QUERY_INVALID` (400) */
function demandOrder(sort: string): void {
  const value = sort.split(',').find((part) => beside.test(part.trim()))
  if (value === undefined) return
  const expected = /active/.test(value)
    ? '"state", which tells who is active'
    : 'a field of the record, such as name, state or lastSeenAt; roles and ways in order no list'
  throw queryInvalid({ parameter: 'sort', value, expected })
}

/** Everybody finds colleagues; who manages them also sees what they may do and when they were last here. */
async function shown(ctx: Context, records: readonly RecordJson[]): Promise<RecordJson[]> {
  if (!ctx.authority.may(permission)) return records.map((record) => active(record))
  const rights = await new UserService(ctx).rightsOf(records.map(({ id }) => id))
  return records.map((record) => ({ ...active(record), ...rights.get(record.id) }))
}

async function invited(ctx: Context, { user: made, ...way }: Invited & { password?: string }) {
  return { data: (await shown(ctx, [made]))[0]!, ...way }
}

const active = (record: RecordJson): RecordJson =>
  'state' in record ? { ...record, active: record['state'] === 'active' } : record

export const userRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'get',
    path: '/users',
    permission: 'authenticated',
    summary: 'Users of this workspace; with core.user.manage also their roles and when they were last here',
    query: listQuery,
    answer: z.object({ data: z.array(user), page: z.unknown(), included: z.unknown() }),
    handle: async ({ query }, ctx) => {
      demandOrder(query.sort ?? '')
      const page = await ctx.records.list(users, { sort: 'name', limit: 200, ...given(query) })
      return { ...page, data: await shown(ctx, page.data) }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/users',
    permission,
    secret: true,
    summary:
      'Let somebody in by the link, or by the password if it is their first; both are answered this once. Who signs in to another workspace keeps their own',
    body: newUser,
    status: 201,
    answer: z.object({ data: user, password: z.string().optional(), ...link.shape }),
    handle: async ({ body: { team, teams, ...body } }, ctx) => {
      const places = teamsOf({ team, teams })
      const made = await new UserService(ctx).create({ ...given(body), ...(places ? { teams: places } : {}) })
      return invited(ctx, made)
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/users/:id',
    permission,
    summary:
      'Change a user: name, language, manager, roles, teams or the home team alone, the partner they stand for, or whether they are active',
    params: byId,
    body: userChange,
    answer: z.object({ data: user }),
    handle: async ({ params: { id }, body: { version, ...body } }, ctx) => {
      const changed = await new UserService(ctx).change(id, given(body), version)
      return { data: (await shown(ctx, [changed]))[0]! }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/deactivate',
    permission,
    summary: 'End a user’s sessions and keys, at once',
    params: byId,
    answer: z.object({ data: user }),
    handle: async ({ params: { id } }, ctx) => {
      const service = new UserService(ctx)
      await service.deactivate(id)
      return { data: (await shown(ctx, [await service.get(id)]))[0]! }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/activate',
    permission,
    summary: 'Let a deactivated user in again',
    params: byId,
    answer: z.object({ data: user }),
    handle: async ({ params: { id } }, ctx) => {
      const service = new UserService(ctx)
      await service.activate(id)
      return { data: (await shown(ctx, [await service.get(id)]))[0]! }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/users/invite',
    permission,
    secret: true,
    summary: 'Invite somebody. The link by which they come in is answered this once, to be passed on',
    body: invitation,
    status: 201,
    answer: z.object({ data: user, ...link.shape }),
    handle: async ({ body: { team, teams, ...body } }, ctx) => {
      const places = teamsOf({ team, teams })
      const made = await new UserService(ctx).invite({ ...given(body), ...(places ? { teams: places } : {}) })
      return invited(ctx, made)
    },
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/invite',
    permission,
    secret: true,
    summary: 'Make a new link for somebody invited; the one before ends',
    params: byId,
    answer: z.object({ data: user, ...link.shape }),
    handle: async ({ params: { id } }, ctx) => invited(ctx, await new UserService(ctx).renewInvitation(id)),
  }),
  defineRoute({
    method: 'delete',
    path: '/users/:id/invite',
    permission,
    summary: 'Take an invitation back',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new UserService(ctx).withdrawInvitation(id),
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/password-link',
    permission,
    presence: true,
    secret: true,
    summary: 'Make a link by which a user chooses a new password; answered this once',
    params: byId,
    answer: z.object({ data: link }),
    handle: async ({ params: { id } }, ctx) => ({ data: await new UserService(ctx).passwordLink(id) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/users/:id/second-factor',
    permission,
    presence: true,
    summary: 'Take away the app, recovery codes and passkeys of somebody who lost them; their sessions end',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new UserService(ctx).resetSecondFactor(id),
  }),
  defineRoute({
    method: 'get',
    path: '/users/:id/sessions',
    permission,
    summary: 'Where a user is signed in to this workspace',
    params: byId,
    answer: z.object({ data: z.array(session) }),
    handle: async ({ params: { id } }, ctx) => ({ data: await new UserService(ctx).sessionsOf(id) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/users/:id/sessions',
    permission,
    summary: 'End all sessions of a user here',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new UserService(ctx).endSessions(id),
  }),
  defineRoute({
    method: 'delete',
    path: '/users/:id/sessions/:session',
    permission,
    summary: 'End one session of a user',
    params: byId.extend({ session: z.uuid() }),
    answer: z.void(),
    handle: async ({ params: { id, session } }, ctx) => new UserService(ctx).endSessions(id, session),
  }),
  defineRoute({
    method: 'get',
    path: '/users/:id/external-identities',
    permission,
    summary: 'Accounts at identity providers by which a user comes in',
    params: byId,
    answer: z.object({ data: z.array(externalIdentity) }),
    handle: async ({ params: { id } }, ctx) => ({ data: await new UserService(ctx).externalIdentitiesOf(id) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/users/:id/external-identities/:link',
    permission,
    summary: 'Unlink an account at an identity provider from a user; their sessions through that provider end',
    params: byId.extend({ link: z.uuid() }),
    answer: z.void(),
    handle: async ({ params: { id, link: one } }, ctx) => new UserService(ctx).unlink(id, one),
  }),
  defineRoute({
    method: 'put',
    path: '/users/:id/roles',
    permission,
    summary: 'Give a user exactly these roles, each for good or until an instant',
    params: byId,
    body: z.strictObject({ roles }),
    answer: z.object({ data: access }),
    handle: async ({ params: { id }, body }, ctx) => {
      const service = new UserService(ctx)
      await service.change(id, { roles: body.roles })
      return { data: await service.accessOf(id) }
    },
  }),
  defineRoute({
    method: 'put',
    path: '/users/:id/teams',
    permission,
    summary: 'Put a user into exactly these teams from today; the first is the home team',
    params: byId,
    body: z.strictObject({ teams: ids }),
    answer: z.object({ data: access }),
    handle: async ({ params: { id }, body }, ctx) => {
      const service = new UserService(ctx)
      await service.change(id, { teams: body.teams })
      return { data: await service.accessOf(id) }
    },
  }),
  defineRoute({
    method: 'get',
    path: '/users/:id/access',
    permission,
    summary: 'A user’s roles and teams',
    params: byId,
    answer: z.object({ data: access }),
    handle: async ({ params: { id } }, ctx) => ({ data: await new UserService(ctx).accessOf(id) }),
  }),
]
