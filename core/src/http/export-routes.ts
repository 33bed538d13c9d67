import { Hono, type Context as HonoContext } from 'hono'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { Pieces } from '../files/pieces.ts'
import type { Jobs } from '../jobs/index.ts'
import type { Kernel } from '../kernel.ts'
import { ExportService } from '../records/export/export-service.ts'
import { readJson } from './body.ts'
import { download } from './download.ts'
import { answerOnce, repeatable, responseOf } from './idempotency.ts'
import { parsed } from './parsed.ts'
import { json, unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

type Request = HonoContext<PluginEnv>

const asked = z.strictObject({
  resource: z.string().max(200),
  format: z.string().max(20),
  // Text or AST: the expression language reads it and says what is wrong with it, and where.
  filter: z.unknown().optional(),
  q: z.string().max(500).optional(),
  sort: z.string().max(500).optional(),
  deleted: z.literal('only').optional(),
  view: z.uuid().optional(),
  ids: z.array(z.uuid()).min(1).max(500).optional(),
  asOf: z.string().min(1).max(60).optional(),
  fields: z.array(z.string().max(120)).min(1).max(200).optional(),
  heads: z.enum(['labels', 'names']).optional(),
  delimiter: z.enum([',', ';']).optional(),
})

/** `/exports`: from a list to a file, which only the one who asked for it fetches. */
export function exportRoutes(kernel: Kernel, { jobs }: { readonly jobs: Jobs }): Hono<PluginEnv> {
  const { database, clock } = kernel.parts
  const service = new ExportService({ ...kernel.parts, jobs, pieces: new Pieces({ database, clock }) })
  const app = new Hono<PluginEnv>()
  const unit = <T>(request: Request, work: (ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts: request.env.facts, raw: request.req.raw, plugin: 'core' }, work)
  const id = (request: Request) => request.req.param('id') ?? ''

  app.post('/exports', async (request) => {
    const body = parsed(asked, await readJson(request.req.raw))
    const answer = await unit(request, (ctx) =>
      answerOnce(ctx, repeatable(request.req.raw, JSON.stringify(body)), async () => {
        const data = await service.create(ctx, body)
        return json(ctx, 202, { data }, { location: `/api/core/exports/${data.id}` })
      }),
    )
    return responseOf(answer)
  })
  app.get('/exports', async (request) =>
    request.json({ data: await unit(request, (ctx) => service.list(ctx)), page: { next: null } }),
  )
  app.get('/exports/:id', async (request) =>
    request.json({ data: await unit(request, (ctx) => service.get(ctx, id(request))) }),
  )
  for (const how of ['cancel', 'pause', 'resume'] as const) {
    app.post(`/exports/:id/${how}`, async (request) =>
      request.json({ data: await unit(request, (ctx) => service.steer(ctx, id(request), how)) }),
    )
  }
  app.delete('/exports/:id', async (request) => {
    await unit(request, (ctx) => service.remove(ctx, id(request)))
    return request.body(null, 204)
  })
  app.get('/exports/:id/file', async (request) => {
    const { content, ...file } = await unit(request, (ctx) => service.file(ctx, id(request)))
    return download(content, file)
  })
  return app
}
