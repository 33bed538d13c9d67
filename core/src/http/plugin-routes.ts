import { Hono } from 'hono'
import type { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { Kernel } from '../kernel.ts'
import { permissionDenied } from '../permissions/errors.ts'
import type { PluginDefinition, RouteDefinition } from '../plugins/define-plugin.ts'
import { answerInvalid } from '../plugins/errors.ts'
import type { Resource } from '../records/registry.ts'
import { readJson } from './body.ts'
import { answerOnce } from './idempotency.ts'
import { routeNotFound } from './problem.ts'
import type { Jobs } from '../jobs/index.ts'
import { mountPage } from './public-pages.ts'
import { parsed } from './parsed.ts'
import { changeSetHeader, resourceRoutes, unitOf } from './resource-routes.ts'
import type { PluginEnv } from './who.ts'

/**
 * A plugin's own HTTP app: its public pages, its routes, then those of its resources.
 *
 * @param resources - those of the plugin
 * @param platform - routes beside them that are the host's own, for the core
 *
 * One app per plugin, dispatched by map: Hono cannot add routes after its first match (honojs/hono#3248), and a plugin
 * that is off must cost nothing.
 */
export function pluginApp(
  kernel: Kernel,
  plugin: PluginDefinition,
  {
    jobs,
    resources,
    platform,
    demandPresence,
  }: {
    readonly jobs: Jobs
    readonly resources: readonly Resource[]
    readonly platform?: Hono<PluginEnv> | undefined
    readonly demandPresence: Identity['demandPresence']
  },
): Hono<PluginEnv> {
  const root = new Hono<PluginEnv>()
  root.onError((error) => {
    throw error
  })
  root.notFound((request) => {
    throw routeNotFound({ method: request.req.method, path: request.req.path })
  })
  for (const { prefix, pages } of plugin.publicPages ?? [])
    for (const page of pages) mountPage(root, { kernel, plugin, prefix }, page)
  const app = root.basePath(`/api/${plugin.id}`)
  if (platform) app.route('/', platform)
  // A route of its own wins over the generic one of the same address.
  for (const route of plugin.routes ?? []) mount(app, { kernel, plugin, demandPresence }, route)
  for (const resource of resources) app.route(`/${resource.path}`, resourceRoutes(kernel, resource, jobs))
  // The matcher is built at its first match; no request is to wait for that.
  app.router.match('GET', '/')
  return app
}

interface Mounting {
  readonly kernel: Kernel
  readonly plugin: PluginDefinition
  readonly demandPresence: Identity['demandPresence']
}

function mount(app: Hono<PluginEnv>, { kernel, plugin, demandPresence }: Mounting, route: RouteDefinition): void {
  const { method, path, permission, params, query, body, status = 200, secret, presence } = route
  app.on(method.toUpperCase(), path, async (request) => {
    const { facts } = request.env
    if (permission !== 'authenticated' && !facts.who.authority.may(permission)) throw permissionDenied({ permission })
    if (presence && facts.who.session) await demandPresence(facts.who.session)
    const sent = body ? await readJson(request.req.raw) : undefined
    const input = {
      params: given(params, request.req.param()),
      query: given(query, request.req.query()),
      body: body ? parsed(body, sent) : undefined,
    }
    const handle = route.handle as (input: unknown, ctx: unknown) => Promise<unknown>
    const key = method === 'get' ? undefined : request.req.header('idempotency-key')
    const answer = await unitOf(kernel, { facts, raw: request.req.raw, plugin: plugin.id }, (ctx) =>
      answerOnce(
        ctx,
        { key, request: `${method} ${request.req.path} ${JSON.stringify(sent ?? null)}`, secret },
        async () => {
          const value = answered(plugin, route, await handle(input, ctx))
          return {
            status: value === undefined ? 204 : status,
            // An answer without a body that claims to be JSON is read as one, and fails.
            headers: {
              ...(value === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
              ...changeSetHeader(ctx),
            },
            body: value === undefined ? '' : JSON.stringify(value),
          }
        },
      ),
    )
    return new Response(answer.status === 204 ? null : answer.body, { status: answer.status, headers: answer.headers })
  })
}

/**
 * What a route may answer: what its schema says of what it did answer, and nothing beside.
 *
 * @throws `ANSWER_INVALID` (500) where that is something else, which undoes its work
 */
function answered(
  { id: plugin }: PluginDefinition,
  { method, path, answer }: RouteDefinition,
  value: unknown,
): unknown {
  // The core's own are of one making with what reads them.
  if (plugin === 'core') return value
  const result = answer.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const place = issue?.path.length ? `${issue.path.join('.')}: ` : ''
  const route = `${method.toUpperCase()} /api/${plugin}${path}`
  throw answerInvalid({ plugin, route, fault: `${place}${issue?.message ?? 'unknown fault'}` })
}

function given(schema: z.ZodType | undefined, value: unknown): unknown {
  return schema ? parsed(schema, value) : undefined
}
