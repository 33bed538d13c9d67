import type { Hono, Context as HonoContext } from 'hono'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { requestScan } from '../records/duplicates/jobs.ts'
import type { RecordEngine } from '../records/engine.ts'
import type { Resource } from '../records/registry.ts'
import { readJson } from './body.ts'
import type { Answer } from './idempotency.ts'
import { pageLimit } from './page-limit.ts'
import { parsed } from './parsed.ts'
import type { PluginEnv } from './who.ts'

type Request = HonoContext<PluginEnv>

export interface DuplicateRouteParts {
  readonly engineOf: (ctx: Context) => RecordEngine
  readonly read: (request: Request, work: (engine: RecordEngine, ctx: Context) => Promise<unknown>) => Promise<Response>
  readonly write: (
    request: Request,
    work: (ctx: Context, body: Record<string, unknown>) => Promise<Answer>,
  ) => Promise<Response>
  readonly json: (ctx: Context, status: number, body: object) => Answer
}

const decisionBody = z.strictObject({ a: z.uuid(), b: z.uuid(), same: z.boolean().default(false) })

/** What may be the same record: of values being typed, of a record that exists, and over all. Stand before `/:id`. */
export function duplicateRoutes(
  app: Hono<PluginEnv>,
  resource: Resource,
  { engineOf, read, write, json }: DuplicateRouteParts,
): void {
  app.get('/duplicates', (request) => {
    const { state, after, limit } = request.req.query()
    return read(request, (engine) => engine.duplicatePairs(resource.id, { state, after, limit: pageLimit(limit) }))
  })
  app.post('/duplicates', async (request) => {
    const values = await readJson(request.req.raw)
    return read(request, async (engine) => ({ data: await engine.duplicatesOfValues(resource.id, values) }))
  })
  app.post('/duplicates/scan', (request) =>
    write(request, async (ctx) => {
      const permission = `${resource.id}.merge`
      if (!ctx.authority.may(permission)) throw permissionDenied({ permission })
      await engineOf(ctx).demandDuplicates(resource.id)
      return json(ctx, 202, { data: { job: await requestScan(ctx, resource.id) } })
    }),
  )
  app.post('/duplicates/decide', (request) =>
    write(request, async (ctx, body) => {
      const { a, b, same } = parsed(decisionBody, body)
      await engineOf(ctx).decideDuplicates(resource.id, { one: a, two: b, same })
      return json(ctx, 200, { data: { a, b, state: same ? 'open' : 'dismissed' } })
    }),
  )
  app.get('/:id/duplicates', (request) =>
    read(request, async (engine) => ({ data: await engine.duplicatesOf(resource.id, request.req.param('id') ?? '') })),
  )
}
