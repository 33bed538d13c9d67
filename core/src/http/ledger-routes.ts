import { Hono, type Context as HonoContext } from 'hono'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { Jobs } from '../jobs/index.ts'
import type { Kernel } from '../kernel.ts'
import { permissionDenied } from '../permissions/errors.ts'
import { bulkLimit } from '../records/bulk.ts'
import { bulkJob, runBulkJob } from '../records/bulk-work.ts'
import type { RecordEngine } from '../records/engine.ts'
import { csvLine } from '../records/csv-line.ts'
import type { LedgerSealer } from '../records/ledger-chain.ts'
import { answerOnce, repeatable, responseOf } from './idempotency.ts'
import { pageLimit } from './page-limit.ts'
import { parsed } from './parsed.ts'
import { defined, engineOf, json, unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

const rowsQuery = z.object({
  state: z.enum(['waiting', 'done', 'skipped', 'failed']).optional(),
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(500).optional(),
})

const bulksQuery = z.object({
  after: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(50).optional(),
})

/** `/audit` and `/change-sets`: what the ledger tells, proves and takes back. */
export function ledgerRoutes(
  kernel: Kernel,
  { ledger, jobs }: { readonly ledger: LedgerSealer; readonly jobs: Jobs },
): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const { words } = kernel.parts
  const unit = <T>(request: HonoContext<PluginEnv>, work: (engine: RecordEngine, ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts: request.env.facts, raw: request.req.raw, plugin: 'core' }, (ctx) =>
      work(engineOf(ctx), ctx),
    )
  jobs.register<{ bulk: string; changeSet: string; undoOf?: string }>(bulkJob, (job, tools) =>
    runBulkJob(job, tools, (ctx, bulk) => engineOf(ctx).doBulkChunk(bulk, words)),
  )

  app.post('/change-sets/:id/undo', async (request) => {
    const undoOf = request.req.param('id')
    const { facts } = request.env
    const { who, id } = facts
    const count = await unit(request, (engine) => engine.demandUndo(undoOf))
    // A merge is taken back as it was made, however much moved: in one.
    const once = repeatable(request.req.raw, '')
    if (count > bulkLimit && !(await unit(request, (engine) => engine.isMerge(undoOf)))) {
      const answer = await unit(request, (engine, ctx) =>
        answerOnce(ctx, once, async () => {
          const ordered = await engine.orderUndo(undoOf, words)
          return json(ctx, 202, { data: await engine.startBulk(ordered.id, jobs) })
        }),
      )
      return responseOf(answer)
    }
    const answer = await kernel.unit(
      {
        workspace: who.workspace,
        actor: who.actor,
        authority: who.authority,
        plugin: 'core',
        cause: { origin: who.actor.type === 'key' ? 'api' : 'ui', request: id, undoOf },
        signal: request.req.raw.signal,
      },
      (ctx) =>
        answerOnce(ctx, once, async () => {
          const data = await engineOf(ctx).undo(undoOf, words)
          return json(ctx, 200, { data })
        }),
    )
    return responseOf(answer)
  })

  app.get('/audit', async (request) => {
    const { after, actor, resource, origin, from, to, limit } = request.req.query()
    const query = defined({
      after,
      actor,
      resource,
      origin,
      from,
      to,
      limit: pageLimit(limit),
    })
    const { facts } = request.env
    const { data, next } = await unitOf(
      kernel,
      { facts, raw: request.req.raw, plugin: 'core', readonly: true },
      (ctx) => engineOf(ctx).audit(query),
    )
    return request.json({ data, page: { next } })
  })

  app.get('/audit/verification', async (request) => {
    const { facts } = request.env
    const { workspace, authority } = facts.who
    if (!authority.may('core.audit.read')) throw permissionDenied({ permission: 'core.audit.read' })
    // What is committed by now is part of the answer.
    await ledger.seal(workspace.id)
    const data = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core', readonly: true }, (ctx) =>
      engineOf(ctx).verify(),
    )
    return request.json({ data })
  })

  app.get('/bulks', async (request) => {
    const { after, limit = 20 } = parsed(bulksQuery, request.req.query())
    const { data, next } = await unit(request, (engine) => engine.bulks({ after, limit }))
    return request.json({ data, page: { next } })
  })
  app.get('/bulks/:id', async (request) =>
    request.json({ data: await unit(request, (engine) => engine.bulkStatus(request.req.param('id'))) }),
  )
  app.post('/bulks/:id/run', async (request) =>
    request.json({ data: await unit(request, (engine) => engine.startBulk(request.req.param('id'), jobs)) }, 202),
  )
  app.post('/bulks/:id/retry', async (request) =>
    request.json({ data: await unit(request, (engine) => engine.retryBulk(request.req.param('id'), jobs)) }, 202),
  )
  app.get('/bulks/:id/rows', async (request) => {
    const { state, after, limit } = parsed(rowsQuery, request.req.query())
    const data = await unit(request, (engine) =>
      engine.bulkRows(request.req.param('id'), { state, after: after ?? 0, limit: limit ?? 100 }),
    )
    return request.json({ data, page: { next: data.length === (limit ?? 100) ? (data.at(-1)?.nth ?? null) : null } })
  })
  app.get('/bulks/:id/rows.csv', async (request) => {
    const { state } = parsed(rowsQuery, request.req.query())
    const data = await unit(request, (engine) =>
      engine.bulkRows(request.req.param('id'), { state, after: 0, limit: 100_000 }),
    )
    const lines = data.map((it) =>
      csvLine([it.record, it.state, it.problem?.code ?? '', it.problem?.detail ?? ''], ','),
    )
    return new Response(`${csvLine(['id', 'state', 'code', 'detail'], ',')}${lines.join('')}`, {
      headers: { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="rows.csv"' },
    })
  })
  return app
}
