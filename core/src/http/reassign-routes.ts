import { Hono } from 'hono'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { memberNotActive } from '../identity/errors.ts'
import { UserService } from '../identity/user-service.ts'
import type { Jobs } from '../jobs/index.ts'
import type { Kernel } from '../kernel.ts'
import type { Bulk } from '../records/bulk-work.ts'
import type { Resource } from '../records/registry.ts'
import { readJson } from './body.ts'
import { parsed } from './parsed.ts'
import { engineOf, unitOf } from './resource-routes.ts'
import { demand, type PluginEnv, type RequestFacts } from './who.ts'

const permission = 'core.user.manage'
const reassignBody = z.strictObject({ to: z.uuid(), resources: z.array(z.string().max(120)).max(500).optional() })

/** What somebody leaves behind, and handing it to a colleague: in the background, by the one bulk change there is. */
export function reassignRoutes(kernel: Kernel, jobs: Jobs): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const inUnit = <T>(facts: RequestFacts, raw: Request, work: (ctx: Context) => Promise<T>) => {
    demand(facts, permission)
    return unitOf(kernel, { facts, raw, plugin: 'core' }, work)
  }

  app.get('/users/:id/records', async (request) => {
    const id = request.req.param('id')
    const data = await inUnit(request.env.facts, request.req.raw, async (ctx) => {
      await new UserService(ctx).get(id)
      return ownedBy(ctx, id)
    })
    return request.json({ data })
  })

  app.post('/users/:id/reassign', async (request) => {
    const id = request.req.param('id')
    const { to, resources } = parsed(reassignBody, await readJson(request.req.raw))
    const data = await inUnit(request.env.facts, request.req.raw, async (ctx) => {
      const users = new UserService(ctx)
      await users.get(id)
      const heir = await users.get(to)
      if (heir['state'] !== 'active' || heir['deletedAt'] !== null)
        throw memberNotActive({ name: String(heir['name']) })
      const engine = engineOf(ctx)
      const started: Bulk[] = []
      for (const { resource, count } of await ownedBy(ctx, id)) {
        if (count === 0 || (resources && !resources.includes(resource))) continue
        const order = { action: 'update', filter: owned(id), set: { owner: to } } as const
        started.push(await engine.startBulk((await engine.orderBulk(resource, order)).id, jobs))
      }
      return started
    })
    return request.json({ data }, 202)
  })
  return app
}

const owned = (id: string) => `owner = "${id}"`

/** How many records of which resource a person owns, of those the actor may hand on. */
async function ownedBy(ctx: Context, id: string): Promise<{ resource: string; name: string; count: number }[]> {
  const engine = engineOf(ctx)
  const found: { resource: string; name: string; count: number }[] = []
  for (const resource of engine.scope.catalog.all()) {
    if (!isHandedOn(ctx, resource) || !engine.scope.exists(resource)) continue
    const { page } = await ctx.records.list(resource.id, { filter: owned(id), limit: 1, count: 'exact' })
    if (page.count) found.push({ resource: resource.id, name: ctx.t(`${resource.id}.many`), count: page.count })
  }
  return found
}

function isHandedOn(ctx: Context, resource: Resource): boolean {
  const read = ctx.authority.compile(resource, 'read')
  return !resource.options.readonly && resource.fields.has('owner') && read.allowed && read.readable('owner')
}
