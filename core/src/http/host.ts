import { inspect } from 'node:util'
import { Hono, type Context as HonoContext } from 'hono'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Locale } from '../actor.ts'
import type { LiveStream } from '../events/live.ts'
import type { GivenClock } from '../given-clock.ts'
import { notSignedIn, viewAsReadOnly } from '../identity/errors.ts'
import { identityPaths, type Identity, type Resolved } from '../identity/identity.ts'
import type { Kernel } from '../kernel.ts'
import { refusalFor } from '../plugins/absence.ts'
import { running } from '../plugins/running.ts'
import type { PluginHolder, PluginSet } from '../plugins/loaded-plugins.ts'
import type { Installer } from '../plugins/store/installer.ts'
import type { Uninstaller } from '../plugins/removal/uninstaller.ts'
import { shellDocument } from '../plugins/shell-document.ts'
import type { Revival } from '../plugins/revival.ts'
import type { Toggle } from '../plugins/toggle.ts'
import type { ImportRouteOptions } from './import-routes.ts'
import type { LedgerSealer } from '../records/ledger-chain.ts'
import { Metrics } from './metrics.ts'
import { openApiDocument } from './openapi.ts'
import { platformRoutes } from './platform-routes.ts'
import { PageCrowd } from './page-crowd.ts'
import { asPageRefusal, pageNotFound, pageProblem, visitorOf } from './public-pages.ts'
import { pluginApp } from './plugin-routes.ts'
import { problemResponse, processBehind, processCrowded, routeNotFound } from './problem.ts'
import { referencePage } from './reference.ts'
import { unitOf } from './resource-routes.ts'
import type { StaticUi } from './static-ui.ts'
import { testClockRoute } from './test-clock-route.ts'
import type { PluginEnv, RequestFacts } from './who.ts'

export interface HostParts {
  readonly kernel: Kernel
  readonly identity: Identity
  readonly live: LiveStream
  readonly toggle: Toggle
  readonly revival: Revival
  readonly ledger: LedgerSealer
  readonly ui: StaticUi
  readonly installer: Installer
  readonly uninstaller: Uninstaller
  /** Where uploaded files lie, and who imports them in the background. */
  readonly imports: ImportRouteOptions
  /** Set by request where the platform is under test; nowhere else is there such an address. */
  readonly testClock?: GivenClock
  /** What whoever reads the figures of this process has to bring; nobody reads them without. */
  readonly metricsToken?: string
}

type Bindings = { incoming?: { socket?: { remoteAddress?: string } } }
/** Before the host has asked who it is, there is only the request's id. */
type Facts = { readonly id: string; readonly who?: Resolved }
type HostEnv = { Bindings: Bindings; Variables: { facts: Facts } }

/** One address that answers: `GET /api/core/accounts/:id`. */
export interface RouteAddress {
  readonly method: string
  readonly path: string
}

export interface Host extends PluginHolder {
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>
  /** Every address of the platform and of its loaded plugins, on or off. */
  readonly routes: () => readonly RouteAddress[]
}

/** The HTTP face of the platform: who asks, which module answers, and every refusal in one form. */
export function createHost({
  kernel,
  identity,
  live,
  toggle,
  revival,
  ledger,
  ui,
  imports,
  installer,
  uninstaller,
  testClock,
  metricsToken,
}: HostParts): Host {
  const { parts } = kernel
  const { words, log, enablement, generation } = parts
  const metrics = new Metrics(metricsToken)
  const demandPresence: Identity['demandPresence'] = (session) => identity.demandPresence(session)
  const platform = platformRoutes(kernel, {
    toggle,
    revival,
    ledger,
    imports,
    installer,
    uninstaller,
    demandPresence,
  })
  const { jobs } = imports
  let current: {
    readonly set: PluginSet
    readonly apps: ReadonlyMap<string, Hono<PluginEnv>>
    /** Plugins by the public prefix that is theirs. */
    readonly prefixes: ReadonlyMap<string, string>
  } = { set: parts.loaded.set, apps: new Map(), prefixes: new Map() }
  const crowd = new PageCrowd()
  const host = new Hono<HostEnv>()

  host.use(async (request, next) => {
    const started = performance.now()
    const given = request.req.header('x-request-id')
    const id = given !== undefined && /^[\w.-]{1,80}$/.test(given) ? given : uuidv7()
    request.set('facts', { id })
    await next()
    request.res.headers.set('x-request-id', id)
    request.res.headers.set('x-content-type-options', 'nosniff')
    const [, area = '', plugin = ''] = request.req.path.split('/')
    const owner = area === 'api' && current.apps.has(plugin) ? plugin : area === 'api' || area === 'p' ? 'other' : 'ui'
    metrics.count(owner, request.req.method, request.res.status, (performance.now() - started) / 1000)
  })

  host.onError((error, request) => {
    const facts = request.get('facts')
    const locale = localeOf(facts.who, request.req.raw)
    return problemResponse(error, { words, locale, request: facts.id, path: request.req.path }, log)
  })
  host.notFound((request) => {
    throw routeNotFound({ method: request.req.method, path: request.req.path })
  })

  host.get('/healthz', (request) => request.json({ status: 'up' }))
  host.get('/readyz', async (request) => {
    if (generation.isBehind) throw processBehind({ generation: generation.applied })
    const late = AbortSignal.timeout(longestWait * 1_000)
    try {
      await parts.database.transaction({ partner: '*', readonly: true }, (tx) => sql`select 1`.execute(tx), late)
    } catch (error) {
      throw late.aborted ? processCrowded({ seconds: longestWait }) : error
    }
    return request.json({ status: 'ready', generation: generation.applied })
  })
  host.get('/metrics', ({ req }) =>
    metrics.answer({
      method: req.method,
      path: req.path,
      bearer: /^bearer (.+)$/i.exec(req.header('authorization') ?? '')?.[1],
    }),
  )
  host.get('/api/core/boot', (request) => {
    const locale =
      request.req.query('locale') === 'fr' || request.req.query('locale') === 'en'
        ? (request.req.query('locale') as Locale)
        : localeOf(undefined, request.req.raw)
    return request.json({ data: { product: 'Socle', locale, words: words.of(locale, ['core', 'kit', 'shell']) } })
  })
  if (testClock) host.route('/api/core', testClockRoute(testClock))
  for (const path of identityPaths) host.all(path, (request) => identity.handler(request.req.raw, peerOf(request.env)))

  const signedIn = async (request: HonoContext<HostEnv>): Promise<RequestFacts> => {
    const who = await identity.resolve(request.req.raw, peerOf(request.env))
    if (!who) throw notSignedIn({})
    const facts = { id: request.get('facts').id, who }
    request.set('facts', facts)
    if (who.viewer && !isReading(request.req.method, request.req.path)) throw viewAsReadOnly({ name: who.actor.name })
    return facts
  }

  host.get('/api/core/shell', async (request) => {
    const facts = await signedIn(request)
    const { who } = facts
    const on = await enablement.in(who.workspace.id)
    const standings = await enablement.standingsIn(who.workspace.id)
    const workspaces = who.workspaces.map(({ id, name }) => ({ id, name }))
    const document = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core' }, async (ctx) =>
      shellDocument(parts, ctx, { on, standings }, ui, { workspaces, email: who.email ?? null, viewer: who.viewer }),
    )
    return request.json(document, 200, { 'cache-control': 'no-store' })
  })
  host.get('/api/core/live', async (request) => {
    const { who } = await signedIn(request)
    const { raw } = request.req
    const peer = peerOf(request.env)
    return live.handler(raw, {
      workspace: who.workspace.id,
      ...(who.actor.type === 'user' && who.actor.id !== undefined ? { actor: who.actor.id } : {}),
      async authority() {
        // A session that has ended, or moved to another workspace, hears nothing more of this one.
        const now = await identity.resolve(raw, peer).catch(() => undefined)
        return now?.workspace.id === who.workspace.id ? now.authority : undefined
      },
    })
  })
  host.get('/api/core/openapi.json', async (request) => {
    const { who } = await signedIn(request)
    return request.json(
      openApiDocument(
        parts,
        await parts.fields.in(who.workspace, await enablement.in(who.workspace.id)),
        { workspace: who.workspace, locale: who.actor.locale },
        who.authority,
        await enablement.in(who.workspace.id),
      ),
    )
  })
  host.get('/api/core/reference', async (request) => {
    const { who } = await signedIn(request)
    return referencePage(
      openApiDocument(
        parts,
        await parts.fields.in(who.workspace, await enablement.in(who.workspace.id)),
        { workspace: who.workspace, locale: who.actor.locale },
        who.authority,
        await enablement.in(who.workspace.id),
      ),
      who.actor.locale,
    )
  })

  /** Hands a request to the app of the plugin that answers it, where that is on. */
  const dispatch = async (raw: Request, facts: RequestFacts, plugin: string): Promise<Response> => {
    const { set, apps } = current
    const app = apps.get(plugin)
    const workspace = facts.who.workspace.id
    if (!app || !(await enablement.in(workspace)).has(plugin))
      throw (
        (await refusalFor(parts, workspace, plugin)) ??
        routeNotFound({ method: raw.method, path: new URL(raw.url).pathname })
      )
    try {
      const answer = await running.run({ plugin, workspace }, async () => app.fetch(raw, { facts: { ...facts, set } }))
      parts.faults.worked({ workspace, plugin })
      return answer
    } catch (thrown) {
      // Whoever answers for the host is told of errors alone: of anything else the caller would hear nothing.
      const error = thrown instanceof Error ? thrown : new Error(`A module threw ${inspect(thrown)}.`)
      parts.faults.failed({ kind: 'request', error, plugin, workspace })
      throw error
    }
  }

  host.all('/p/:workspace/:prefix/*', async (request) => {
    const { raw } = request.req
    const { id } = request.get('facts')
    let locale = localeOf(undefined, raw)
    try {
      crowd.enter(identity.addressOf(raw, peerOf(request.env)), parts.clock.now())
      const plugin = current.prefixes.get(request.req.param('prefix'))
      const workspace = plugin === undefined ? undefined : await kernel.workspaceBySlug(request.req.param('workspace'))
      if (plugin === undefined || !workspace) throw pageNotFound({})
      const who = visitorOf(workspace, kernel.plugin(plugin), raw)
      locale = who.actor.locale
      return await dispatch(raw, { id, who }, plugin)
    } catch (error) {
      // What follows the prefix lets its bearer in: it is neither logged nor said again.
      const path = `/p/${request.req.param('workspace')}/${request.req.param('prefix')}/…`
      const context = { words, locale, request: id, path }
      return pageProblem(asPageRefusal(error), raw, context, log)
    }
  })

  host.all('/api/:plugin/*', async (request) => {
    const facts = await signedIn(request)
    const plugin = request.req.param('plugin')
    return dispatch(request.req.raw, facts, plugin)
  })

  host.get(
    '/assets/*',
    async (request) =>
      (await ui.asset(request.req.path, request.req.raw)) ?? new Response('Not found', { status: 404 }),
  )
  host.get('*', (request) => {
    if (request.req.path.startsWith('/api/')) throw routeNotFound({ method: 'GET', path: request.req.path })
    return ui.page()
  })
  return {
    fetch: (request, env) => host.fetch(request, env),
    routes: () =>
      [host, ...current.apps.values()].flatMap((it) => it.routes.map(({ method, path }) => ({ method, path }))),
    prepare(set) {
      const { plugins, catalog } = set
      const made = plugins.map((plugin) => {
        const app = pluginApp(kernel, plugin, {
          jobs,
          resources: catalog.all().filter((resource) => resource.plugin === plugin.id),
          platform: plugin.id === 'core' ? platform : undefined,
          demandPresence,
        })
        return [plugin.id, app] as const
      })
      return () => {
        current = {
          set,
          apps: new Map(made),
          prefixes: new Map(plugins.flatMap(({ id, publicPages = [] }) => publicPages.map((it) => [it.prefix, id]))),
        }
      }
    },
  }
}

/** Seconds that whoever asks whether this process is ready may wait for a connection of those that requests have. */
const longestWait = 5

/** What only looks: queries are posted because of their length. */
function isReading(method: string, path: string): boolean {
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && /\/(?:query|aggregate|board)$/.test(path))
}

function peerOf(env: Bindings | undefined): { address?: string } {
  const address = env?.incoming?.socket?.remoteAddress
  return address === undefined ? {} : { address }
}

function localeOf(who: Resolved | undefined, request: Request): Locale {
  if (who) return who.actor.locale
  return /^\s*fr\b/i.test(request.headers.get('accept-language') ?? '') ? 'fr' : 'en'
}
