import { z } from 'zod'
import { fieldGrantSchema, grantSchema } from '../../permissions/grant.ts'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import { permissionDenied } from '../../permissions/errors.ts'
import { overseers } from '../../permissions/overseers.ts'
import { describePermissions, type PermissionSource } from '../permission-catalogue.ts'
import { RoleService } from '../role-service.ts'
import { byId, fieldGrants, given, grants, name, onePage, permissionIds } from './schemas.ts'

const permission = 'core.role.manage'

const lists = { grants: grants.optional(), permissions: permissionIds.optional(), fields: fieldGrants.optional() }
const newRole = z.strictObject({
  name,
  description: z.string().max(2_000).optional(),
  from: z.uuid().optional(),
  ...lists,
})
const roleChange = z.strictObject({
  name: name.optional(),
  description: z.string().max(2_000).optional(),
  version: z.int().optional(),
  ...lists,
})

const role = z.object({
  id: z.string(),
  version: z.number(),
  name: z.string(),
  description: z.string(),
  template: z.string().nullable(),
  system: z.boolean(),
  users: z.number(),
  grants: z.array(grantSchema).readonly(),
  permissions: z.array(z.string()).readonly(),
  fields: z.array(fieldGrantSchema).readonly(),
})

const catalogAnswer = z.object({
  resources: z.array(
    z.object({
      id: z.string(),
      plugin: z.string(),
      pluginTitle: z.string(),
      name: z.string(),
      actions: z.array(z.string()),
      fields: z.array(z.object({ name: z.string(), label: z.string() })),
    }),
  ),
  permissions: z.array(z.object({ id: z.string(), plugin: z.string(), pluginTitle: z.string(), title: z.string() })),
})

const choosers = ['core.role.manage', 'core.user.manage', 'core.apikey.manage']

export function roleRoutes(permissions: PermissionSource): readonly RouteDefinition[] {
  return [
    defineRoute({
      method: 'get',
      path: '/roles',
      // Whoever manages users or keys chooses among roles without changing them; the handler says so.
      permission: 'authenticated',
      summary: 'Roles and how many users hold them',
      answer: z.object({ data: z.array(role), page: onePage }),
      handle: async (_, ctx) => {
        if (!choosers.some((it) => ctx.authority.may(it))) throw permissionDenied({ permission })
        const data = await new RoleService(ctx, permissions(ctx.workspace.id)).list()
        return { data, page: { next: null, count: data.length, exact: true } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/roles',
      permission,
      summary: 'Make a role, new or as a copy of another',
      body: newRole,
      status: 201,
      answer: z.object({ data: role }),
      handle: async ({ body }, ctx) => ({
        data: await new RoleService(ctx, permissions(ctx.workspace.id)).create(given(body)),
      }),
    }),
    defineRoute({
      method: 'get',
      path: '/roles/:id',
      permission,
      summary: 'One role with its grants',
      params: byId,
      answer: z.object({ data: role }),
      handle: async ({ params: { id } }, ctx) => ({
        data: await new RoleService(ctx, permissions(ctx.workspace.id)).get(id),
      }),
    }),
    defineRoute({
      method: 'patch',
      path: '/roles/:id',
      permission,
      summary: 'Change a role; each list that is sent replaces the one there was',
      params: byId,
      body: roleChange,
      answer: z.object({ data: role }),
      handle: async ({ params: { id }, body }, ctx) => ({
        data: await new RoleService(ctx, permissions(ctx.workspace.id)).change(id, given(body)),
      }),
    }),
    defineRoute({
      method: 'delete',
      path: '/roles/:id',
      permission,
      summary: 'Remove a role nobody holds',
      params: byId,
      answer: z.void(),
      handle: async ({ params: { id } }, ctx) => new RoleService(ctx, permissions(ctx.workspace.id)).remove(id),
    }),
    defineRoute({
      method: 'get',
      path: '/permissions',
      // Whoever changes roles reads it, and whoever asks what others may; the handler says so.
      permission: 'authenticated',
      summary:
        'Everything a role may grant here: resources with their actions and fields, and permissions without a record',
      answer: z.object({ data: catalogAnswer }),
      handle: async (_, ctx) => {
        if (!overseers.some((it) => ctx.authority.may(it))) throw permissionDenied({ permission })
        return { data: await describePermissions(ctx, permissions(ctx.workspace.id)) }
      },
    }),
  ]
}
