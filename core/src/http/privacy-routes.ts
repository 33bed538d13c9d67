import { Hono } from 'hono'
import { Pieces } from '../files/pieces.ts'
import type { Kernel } from '../kernel.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { accessFileGone } from '../privacy/errors.ts'
import { privacyRequests } from '../privacy/privacy-request.ts'
import { download } from './download.ts'
import { unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

/** The archive of an access request, for who may hand it to the person. */
export function privacyFileRoutes(kernel: Kernel): Hono<PluginEnv> {
  const { database, clock } = kernel.parts
  const pieces = new Pieces({ database, clock })
  const app = new Hono<PluginEnv>()
  app.get('/privacy/requests/:id/file', async (request) => {
    const { facts } = request.env
    const { authority, workspace } = facts.who
    for (const permission of ['core.privacy.export', 'core.privacy.manage'])
      if (!authority.may(permission)) throw permissionDenied({ permission })
    const found = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core', readonly: true }, async (ctx) => {
      const { data } = await ctx.asSystem().records.get(privacyRequests, request.req.param('id'))
      const until = data['fileUntil']
      if (typeof until !== 'string' || until <= ctx.clock.now().toISOString())
        throw accessFileGone({ number: String(data['number']) })
      return data
    })
    return download(pieces.read(workspace.id, found.id), {
      type: 'application/zip',
      name: `${String(found['number'])}.zip`,
    })
  })
  return app
}
