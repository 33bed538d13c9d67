import { Hono, type Context as HonoContext } from 'hono'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { SocleError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import type { RecordEngine } from '../records/engine.ts'
import type { Resource } from '../records/registry.ts'
import { answerOnce, repeatable, responseOf, type Answer } from './idempotency.ts'
import { parsed } from './parsed.ts'
import type { PluginEnv } from './who.ts'

type Request = HonoContext<PluginEnv>

export interface MergeRouteParts {
  readonly engineOf: (ctx: Context) => RecordEngine
  readonly write: (
    request: Request,
    work: (ctx: Context, body: Record<string, unknown>) => Promise<Answer>,
  ) => Promise<Response>
  readonly json: (ctx: Context, status: number, body: object) => Answer
  readonly problem: (ctx: Context, error: SocleError, path: string) => Record<string, unknown>
}

const mergeBody = z.strictObject({
  version: z.int().min(1),
  others: z.array(z.strictObject({ id: z.uuid(), version: z.int().min(1) })).max(200),
  choose: z.record(z.string(), z.uuid()).optional(),
  preview: z.boolean().optional(),
  acknowledge: z.array(z.string().max(120)).max(50).optional(),
})

/** Makes one record of several, and tells beforehand what would become of them. */
export function mergeRoutes(
  app: Hono<PluginEnv>,
  resource: Resource,
  { engineOf, write, json, problem }: MergeRouteParts,
): void {
  app.post('/:id/merge', (request) =>
    write(request, async (ctx, body) => {
      const { version, others, choose, preview, acknowledge } = parsed(mergeBody, body)
      const wanted = {
        survivor: { id: request.req.param('id') ?? '', version },
        others,
        ...(choose ? { choose } : {}),
        ...(acknowledge ? { acknowledge } : {}),
      }
      const engine = engineOf(ctx)
      if (!preview) return json(ctx, 200, { data: await engine.merge(resource.id, wanted) })
      const { data, moved, blockers } = await engine.previewMerge(resource.id, wanted)
      const path = new URL(request.req.url).pathname
      return json(ctx, 200, { data: { data, moved, blockers: blockers.map((error) => problem(ctx, error, path)) } })
    }),
  )
}

/** `/merges/:id/undo`: whatever its resource, a merge is known by its id. */
export function mergeUndoRoutes(
  kernel: Kernel,
  { engineOf, json }: Pick<MergeRouteParts, 'engineOf' | 'json'>,
): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  app.post('/merges/:id/undo', async (request) => {
    const { who, id } = request.env.facts
    const merge = request.req.param('id')
    const unit = {
      workspace: who.workspace,
      actor: who.actor,
      authority: who.authority,
      plugin: 'core',
      signal: request.req.raw.signal,
    }
    const origin = who.actor.type === 'key' ? 'api' : 'ui'
    const undoOf = await kernel.unit({ ...unit, cause: { origin }, readonly: true }, (ctx) =>
      engineOf(ctx).changeSetOfMerge(merge),
    )
    const answer = await kernel.unit({ ...unit, cause: { origin, request: id, undoOf } }, (ctx) =>
      answerOnce(ctx, repeatable(request.req.raw, ''), async () => {
        const data = await engineOf(ctx).unmerge(merge)
        return json(ctx, 200, { data })
      }),
    )
    return responseOf(answer)
  })
  return app
}
