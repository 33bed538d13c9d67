import { Hono } from 'hono'
import { Pieces } from '../files/pieces.ts'
import type { Kernel } from '../kernel.ts'
import { accessFileGone } from '../privacy/errors.ts'
import { note, privacyRequests } from '../privacy/privacy-request.ts'
import { download } from './download.ts'
import { unitOf } from './resource-routes.ts'
import { demand, type PluginEnv } from './who.ts'

/** The archive of an access request, for who may hand it to the person. */
export function privacyFileRoutes(kernel: Kernel): Hono<PluginEnv> {
  const { database, clock } = kernel.parts
  const pieces = new Pieces({ database, clock })
  const app = new Hono<PluginEnv>()
  app.get('/privacy/requests/:id/file', async (request) => {
    const { facts } = request.env
    const { workspace } = facts.who
    demand(facts, 'core.privacy.export', 'core.privacy.manage')
    const found = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core' }, async (ctx) => {
      const { data } = await ctx.asSystem().records.get(privacyRequests, request.req.param('id'))
      const until = data['fileUntil']
      if (typeof until !== 'string' || until <= ctx.clock.now().toISOString())
        throw accessFileGone({ number: String(data['number']) })
      // It holds what no mask hides, so the audit says who took it along.
      const fetchedBy = ctx.actor.type === 'user' ? (ctx.actor.id ?? null) : null
      await note(ctx, data.id, { fetchedAt: ctx.clock.now().toISOString(), fetchedBy })
      return data
    })
    return download(pieces.read(workspace.id, found.id), {
      type: 'application/zip',
      name: `${String(found['number'])}.zip`,
    })
  })
  return app
}
