import { Hono, type Context as HonoContext } from 'hono'
import { z } from 'zod'
import type { Context } from '../context.ts'
import { timelineOf } from '../entities/timeline.ts'
import { viewAsReadOnly } from '../identity/errors.ts'
import type { Kernel } from '../kernel.ts'
import type { Jobs } from '../jobs/index.ts'
import { bulkLimit } from '../records/bulk.ts'
import type { BulkOrder } from '../records/bulk-work.ts'
import type { RecordEngine } from '../records/engine.ts'
import { bulkTooLarge, queryInvalid, versionRequired } from '../records/errors.ts'
import type { ListQuery } from '../records/records.ts'
import type { Resource } from '../records/registry.ts'
import { readJson } from './body.ts'
import { duplicateRoutes } from './duplicate-routes.ts'
import { answerOnce, repeatable, responseOf, type Answer } from './idempotency.ts'
import { mergeRoutes } from './merge-routes.ts'
import { pageLimit } from './page-limit.ts'
import { parsed } from './parsed.ts'
import { problemBody } from './problem.ts'
import { aggregateBody, boardBody, bulkBody, count, queryBody, unmaskBody, whyQuery } from './resource-bodies.ts'
import type { PluginEnv, RequestFacts } from './who.ts'

type Request = HonoContext<PluginEnv>

const acknowledged = z.array(z.string().max(120)).max(50).optional()
const listParameters = new Set([
  'filter',
  'q',
  'sort',
  'limit',
  'after',
  'fields',
  'include',
  'count',
  'deleted',
  'view',
  'asOf',
])

function listQuery(request: Request): ListQuery {
  const query = request.req.query()
  for (const name of Object.keys(query)) {
    if (!listParameters.has(name))
      throw queryInvalid({
        parameter: name,
        value: query[name] ?? '',
        expected: `the parameters are ${[...listParameters].join(', ')}`,
      })
  }
  const list = (text: string | undefined) =>
    text
      ?.split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  const counting = count.optional().safeParse(query['count'])
  if (!counting.success)
    throw queryInvalid({ parameter: 'count', value: query['count'] ?? '', expected: 'estimate, exact or none' })
  if (query['deleted'] !== undefined && query['deleted'] !== 'only')
    throw queryInvalid({ parameter: 'deleted', value: query['deleted'], expected: 'only' })
  return defined({
    filter: query['filter'],
    q: query['q'],
    sort: query['sort'],
    limit: pageLimit(query['limit']),
    after: query['after'],
    fields: list(query['fields']),
    include: list(query['include']),
    count: counting.data,
    deleted: query['deleted'],
    asOf: query['asOf'],
  }) as ListQuery
}

/** Whether one record is asked for together with the first page of its timeline. */
function asTimeline(value: string | undefined, { options }: Resource, asOf: string | undefined): boolean {
  if (value === undefined) return false
  if (value === 'first' && options.timeline && asOf === undefined) return true
  const expected = options.timeline ? 'first, without asOf' : 'nothing: these records have no timeline'
  throw queryInvalid({ parameter: 'timeline', value, expected })
}

/** Without the keys that have no value. */
export function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

/** The engine of a unit, as the platform's own routes use it: what it reads is their answer. */
export function engineOf(ctx: Context): RecordEngine {
  return (ctx.records as RecordEngine).forScreens
}

/** REST for one resource, the same for all of them. */
export function resourceRoutes(kernel: Kernel, resource: Resource, jobs: Jobs): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const unit = <T>(request: Request, work: (ctx: Context) => Promise<T>, reason?: string) =>
    unitOf(kernel, { facts: request.env.facts, raw: request.req.raw, plugin: resource.plugin, reason }, work)
  const reading = <T>(request: Request, work: (engine: RecordEngine, ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts: request.env.facts, raw: request.req.raw, plugin: resource.plugin, readonly: true }, (ctx) =>
      work(engineOf(ctx), ctx),
    )
  const read = async (request: Request, work: (engine: RecordEngine, ctx: Context) => Promise<unknown>) =>
    request.json((await reading(request, work)) as object)

  const write = async (request: Request, work: (ctx: Context, body: Record<string, unknown>) => Promise<Answer>) => {
    const body = await readJson(request.req.raw)
    const answer = await unit(
      request,
      (ctx) => answerOnce(ctx, repeatable(request.req.raw, JSON.stringify(body)), () => work(ctx, body)),
      request.req.header('x-reason'),
    )
    return responseOf(answer)
  }

  const list = async (request: Request, query: ListQuery, view: string | undefined) =>
    view === undefined
      ? jsonText(await reading(request, (engine) => engine.listJson(resource.id, query)))
      : read(request, (engine) => engine.listView(resource.id, view, query))

  app.get('/', (request) => list(request, listQuery(request), request.req.query('view')))
  app.post('/query', async (request) => {
    const { view, ...body } = parsed(queryBody, await readJson(request.req.raw))
    return list(request, defined(body) as ListQuery, view)
  })
  app.post('/aggregate', async (request) => {
    const body = parsed(aggregateBody, await readJson(request.req.raw))
    return read(request, (engine) =>
      engine.aggregate(resource.id, defined(body) as Parameters<RecordEngine['aggregate']>[1]),
    )
  })
  if (!resource.options.readonly) duplicateRoutes(app, resource, { engineOf, read, write, json })
  app.post('/board', async (request) => {
    const body = parsed(boardBody, await readJson(request.req.raw))
    return read(request, (engine) => engine.board(resource.id, defined(body) as Parameters<RecordEngine['board']>[1]))
  })
  app.get('/:id', async (request) => {
    const include = request.req.query('include')?.split(',').filter(Boolean)
    const fields = request.req.query('fields')?.split(',').filter(Boolean)
    const asOf = request.req.query('asOf')
    const withTimeline = asTimeline(request.req.query('timeline'), resource, asOf)
    const { found, survivor, timeline } = await reading(request, async (engine, ctx) => {
      const id = request.req.param('id')
      const answer = await engine.getJson(resource.id, id, defined({ include, fields, asOf }))
      const isGone = answer.isDeleted && asOf === undefined
      return {
        found: answer,
        survivor: isGone ? await engine.survivorOf(resource.id, id) : undefined,
        timeline: withTimeline ? await timelineOf(ctx, engine, { resource: resource.id, id }, undefined) : undefined,
      }
    })
    if (survivor !== undefined) {
      const { search } = new URL(request.req.url)
      // Not for ever, as caches take a 301: the merge may be undone.
      return request.body(null, 301, {
        location: `/api/${resource.plugin}/${resource.path}/${survivor}${search}`,
        'cache-control': 'no-store',
      })
    }
    // The tag is the record's, and says nothing of what is written about it.
    if (timeline) return jsonText(`${found.json.slice(0, -1)},"timeline":${JSON.stringify(timeline)}}`)
    return jsonText(found.json, { etag: `"${found.version}"` })
  })
  app.get('/:id/history', (request) =>
    read(request, (engine) => {
      const { after, limit } = request.req.query()
      return engine.history(resource.id, request.req.param('id'), { after, limit: pageLimit(limit) })
    }),
  )
  app.get('/:id/why', (request) =>
    read(request, async (engine) => {
      const asked = defined(parsed(whyQuery, request.req.query()))
      return { data: await engine.why(resource.id, request.req.param('id'), asked) }
    }),
  )
  app.get('/:id/merges', (request) =>
    read(request, async (engine) => ({ data: await engine.mergesInto(resource.id, request.req.param('id')) })),
  )
  if (resource.options.timeline) {
    app.get('/:id/timeline', (request) =>
      read(request, (engine, ctx) =>
        timelineOf(ctx, engine, { resource: resource.id, id: request.req.param('id') }, request.req.query('after')),
      ),
    )
  }
  // Not kept for repeated requests, as answers of writes are: the value is told once.
  app.post('/:id/unmask', async (request) => {
    const asked = parsed(unmaskBody, await readJson(request.req.raw))
    const value = await unit(
      request,
      (ctx) => engineOf(ctx).unmask(resource.id, request.req.param('id'), asked),
      asked.reason,
    )
    return request.json({ data: { field: asked.field, value } }, 200, { 'cache-control': 'no-store' })
  })
  if (resource.options.readonly) return app

  app.post('/', (request) =>
    write(request, async (ctx, body) => {
      const { acknowledge, ...values } = body
      const data = await engineOf(ctx).create(
        resource.id,
        values,
        defined({ acknowledge: parsed(acknowledged, acknowledge) }),
      )
      return json(
        ctx,
        201,
        { data },
        { etag: `"${data.version}"`, location: `/api/${resource.plugin}/${resource.path}/${data.id}` },
      )
    }),
  )
  app.patch('/:id', (request) =>
    write(request, async (ctx, body) => {
      const { acknowledge, version, ...values } = body
      const id = request.req.param('id')
      const seen = versionSeen(request, version, resource, id)
      const data = await engineOf(ctx).update(
        resource.id,
        { id, version: seen },
        values,
        defined({ acknowledge: parsed(acknowledged, acknowledge) }),
      )
      return json(ctx, 200, { data }, { etag: `"${data.version}"` })
    }),
  )
  app.delete('/:id', (request) =>
    write(request, async (ctx, body) => {
      const id = request.req.param('id')
      const seen = versionSeen(request, request.req.query('version') ?? body['version'], resource, id)
      await ctx.records.remove(
        resource.id,
        { id, version: seen },
        defined({ acknowledge: parsed(acknowledged, body['acknowledge']) }),
      )
      return { status: 204, headers: changeSetHeader(ctx), body: '' }
    }),
  )
  app.post('/:id/restore', (request) =>
    write(request, async (ctx) => {
      const data = await engineOf(ctx).restore(resource.id, request.req.param('id'))
      return json(ctx, 200, { data }, { etag: `"${data.version}"` })
    }),
  )
  mergeRoutes(app, resource, {
    engineOf,
    write,
    json,
    problem: (ctx, error, path) =>
      problemBody(error, { words: kernel.parts.words, locale: ctx.locale, request: ctx.cause.request ?? '', path }),
  })
  app.post('/bulk', (request) =>
    write(request, async (ctx, body) => {
      const bulk = parsed(bulkBody, body)
      const order = orderOf(bulk)
      if (order) {
        const engine = engineOf(ctx)
        // Few enough are done here and now.
        const isInline = !bulk.preview && !bulk.background && bulk.filter !== undefined && bulk.set !== undefined
        if (!isInline || !(await engine.isSmallBulk(resource.id, order))) {
          if (bulk.atomic)
            throw queryInvalid({
              parameter: 'atomic',
              value: 'true',
              expected: 'what goes to the background has each row stand alone; leave it out',
            })
          const ordered = await engine.orderBulk(resource.id, order)
          if (!bulk.preview) return json(ctx, 202, { data: await engine.startBulk(ordered.id, jobs) })
          const sample = await engine.rehearseBulk(ordered.id, kernel.parts.words)
          return json(ctx, 200, { data: { ...ordered, sample } })
        }
      }
      if (!order && !bulk.create && !bulk.update && !bulk.delete)
        throw queryInvalid({
          parameter: 'bulk',
          value: Object.keys(bulk).join(', '),
          expected: 'create, update or delete, or a filter or ids with what is done to them: set, delete or restore',
        })
      const rows =
        (bulk.create?.length ?? 0) + (bulk.update?.length ?? 0) + (Array.isArray(bulk.delete) ? bulk.delete.length : 0)
      if (rows > bulkLimit) throw bulkTooLarge({ rows, limit: bulkLimit })
      const { data } = await engineOf(ctx).bulk(resource.id, defined(bulk) as Parameters<RecordEngine['bulk']>[1])
      const context = {
        words: kernel.parts.words,
        locale: ctx.locale,
        request: ctx.cause.request ?? '',
        path: new URL(request.req.url).pathname,
      }
      return json(ctx, 200, {
        data: data.map(({ problem, ...row }) => (problem ? { ...row, problem: problemBody(problem, context) } : row)),
      })
    }),
  )
  return app
}

/**
 * One thing done to what a filter finds or to the named records; undefined for rows that each bring their own. What mixes
 * the two, or leaves either half of an order out, is refused: part of it would be dropped.
 */
function orderOf(bulk: z.output<typeof bulkBody>): BulkOrder | undefined {
  const { ids, q, set, acknowledge } = bulk
  const actions = [
    ...(set ? (['update'] as const) : []),
    ...(bulk.delete === true ? (['delete'] as const) : []),
    ...(bulk.restore ? (['restore'] as const) : []),
  ]
  const isSelected = bulk.filter !== undefined || ids !== undefined
  const [action] = actions
  if (action === undefined && !isSelected && q === undefined && !bulk.preview && !bulk.background) return undefined
  const ownRows = [bulk.create, bulk.update, bulk.delete === true ? undefined : bulk.delete]
  if (action === undefined || actions.length > 1 || !isSelected || ownRows.some((it) => it !== undefined))
    throw queryInvalid({
      parameter: 'bulk',
      value: Object.keys(bulk).join(', '),
      expected:
        'rows that each bring their change (create, update, delete), or a filter or ids with one thing done to them (set, "delete": true, restore), and not both in one request',
    })
  return { action, ids, q, set, acknowledge, filter: bulk.filter as BulkOrder['filter'] }
}

/** Opens the unit of a request. */
export async function unitOf<T>(
  kernel: Kernel,
  {
    facts,
    raw,
    plugin,
    reason,
    readonly = false,
    origin,
  }: {
    facts: RequestFacts
    raw: globalThis.Request
    plugin: string
    reason?: string | undefined
    readonly?: boolean
    /** Through what the request came in; by key or by person when absent. */
    origin?: string
  },
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const { who, id, set } = facts
  const unit = kernel.unit(
    {
      workspace: who.workspace,
      actor: who.actor,
      authority: who.authority,
      plugin,
      ...(set ? { set } : {}),
      cause: {
        origin: origin ?? (who.actor.type === 'key' ? 'api' : 'ui'),
        request: id,
        ...(reason ? { reason: reason.slice(0, 500) } : {}),
      },
      signal: raw.signal,
      readonly: readonly || who.viewer !== undefined,
    },
    work,
  )
  if (!who.viewer) return unit
  return unit.catch((error: unknown) => {
    // What reads, and writes beside it, is refused by the database.
    if ((error as { code?: unknown }).code === '25006') throw viewAsReadOnly({ name: who.actor.name })
    throw error
  })
}

export function changeSetHeader(ctx: Context): Record<string, string> {
  return ctx.changeSet === undefined ? {} : { 'x-change-set': ctx.changeSet }
}

const jsonType = 'application/json; charset=utf-8'

function jsonText(text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, { headers: { 'content-type': jsonType, ...headers } })
}

export function json(
  ctx: Context,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': jsonType, ...headers, ...changeSetHeader(ctx) },
    body: JSON.stringify(body),
  }
}

/** The version the caller saw: `If-Match: "3"`, or `version` in the body or query. */
function versionSeen(request: Request, version: unknown, resource: Resource, id: string): number {
  const header = /^(?:W\/)?"?(\d{1,9})"?$/.exec(request.req.header('if-match')?.trim() ?? '')?.[1]
  const seen = header ?? version
  if (seen === undefined || seen === null || seen === '' || !/^\d{1,9}$/.test(String(seen)))
    throw versionRequired({ resource: resource.entity, id })
  return Number(seen)
}
