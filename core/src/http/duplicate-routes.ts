import type { Hono, Context as HonoContext } from 'hono'
import type { Context } from '../context.ts'
import type { RecordEngine } from '../records/engine.ts'
import type { Resource } from '../records/registry.ts'
import { readJson } from './body.ts'
import type { PluginEnv } from './who.ts'

type Request = HonoContext<PluginEnv>

export interface DuplicateRouteParts {
  readonly read: (request: Request, work: (engine: RecordEngine, ctx: Context) => Promise<unknown>) => Promise<Response>
}

/** What may be the same record: of values being typed, and of a record that exists. Stand before `/:id`. */
export function duplicateRoutes(app: Hono<PluginEnv>, resource: Resource, { read }: DuplicateRouteParts): void {
  app.post('/duplicates', async (request) => {
    const values = await readJson(request.req.raw)
    return read(request, async (engine) => ({ data: await engine.duplicatesOfValues(resource.id, values) }))
  })
  app.get('/:id/duplicates', (request) =>
    read(request, async (engine) => ({ data: await engine.duplicatesOf(resource.id, request.req.param('id') ?? '') })),
  )
}
