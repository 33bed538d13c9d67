import { Hono } from 'hono'
import { z } from 'zod'
import type { Identity } from '../identity/identity.ts'
import type { Kernel } from '../kernel.ts'
import type { Context } from '../context.ts'
import { breakageOf, breakageWithoutCode } from '../plugins/breakage.ts'
import { platformMap } from '../plugins/platform-map.ts'
import { pluginCards } from '../plugins/plugin-cards.ts'
import type { Installer } from '../plugins/store/installer.ts'
import type { Revival } from '../plugins/revival.ts'
import type { Uninstaller } from '../plugins/removal/uninstaller.ts'
import type { Toggle } from '../plugins/toggle.ts'
import type { LedgerSealer } from '../records/ledger-chain.ts'
import { readJson } from './body.ts'
import { explainRoutes } from './explain-routes.ts'
import { exportRoutes } from './export-routes.ts'
import { importRoutes, type ImportRouteOptions } from './import-routes.ts'
import { installationRoutes } from './installation-routes.ts'
import { knownAccountRoutes } from './known-account-routes.ts'
import { ledgerRoutes } from './ledger-routes.ts'
import { mergeUndoRoutes } from './merge-routes.ts'
import { pageLimit } from './page-limit.ts'
import { parsed } from './parsed.ts'
import { privacyFileRoutes } from './privacy-routes.ts'
import { removalRoutes } from './removal-routes.ts'
import { reassignRoutes } from './reassign-routes.ts'
import { settingsRoutes } from './settings-routes.ts'
import { engineOf, json, unitOf } from './resource-routes.ts'
import { demand, type PluginEnv, type RequestFacts } from './who.ts'

const disableBody = z.strictObject({ cascade: z.boolean().optional() })

export interface PlatformRouteOptions {
  readonly toggle: Toggle
  readonly revival: Revival
  readonly ledger: LedgerSealer
  readonly imports: ImportRouteOptions
  readonly installer: Installer
  readonly uninstaller: Uninstaller
  /** Asked before what is dangerous. */
  readonly demandPresence: Identity['demandPresence']
}

/** Routes of `/api/core` that are the engine's and the kernel's own: search, undo, audit, modules, imports. */
export function platformRoutes(
  kernel: Kernel,
  { toggle, revival, ledger, imports, installer, uninstaller, demandPresence }: PlatformRouteOptions,
): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const { enablement } = kernel.parts
  const inUnit = <T>(facts: RequestFacts, raw: Request, work: (ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts, raw, plugin: 'core' }, work)
  const reading = <T>(facts: RequestFacts, raw: Request, work: (ctx: Context) => Promise<T>) =>
    unitOf(kernel, { facts, raw, plugin: 'core', readonly: true }, work)

  app.route('/', importRoutes(kernel, imports))
  app.route('/', ledgerRoutes(kernel, { ledger, jobs: imports.jobs }))
  app.route('/', exportRoutes(kernel, imports))
  app.route('/', mergeUndoRoutes(kernel, { engineOf, json }))
  app.route('/', privacyFileRoutes(kernel))
  app.route('/', knownAccountRoutes(kernel))
  app.route('/', explainRoutes(kernel))
  app.route('/', settingsRoutes(kernel))
  app.route('/', installationRoutes(kernel, { installer, demandPresence }))
  app.route('/', removalRoutes(kernel, { uninstaller, installer, jobs: imports.jobs, demandPresence }))
  app.route('/', reassignRoutes(kernel, imports.jobs))

  app.get('/search', async (request) => {
    const limit = pageLimit(request.req.query('limit'), 100) ?? 20
    const text = (request.req.query('q') ?? '').slice(0, 500)
    const only = request.req.query('type')?.split(',').filter(Boolean)
    const data = await reading(request.env.facts, request.req.raw, (ctx) => engineOf(ctx).search(text, limit, only))
    return request.json({ data })
  })

  app.get('/plugins', async (request) => {
    const { facts } = request.env
    demand(facts, 'core.plugin.read')
    const on = await enablement.in(facts.who.workspace.id)
    return request.json({ data: await inUnit(facts, request.req.raw, (ctx) => pluginCards(kernel.parts, ctx, on)) })
  })

  app.get('/platform-map', async (request) => {
    const { facts } = request.env
    demand(facts, 'core.plugin.read')
    const on = await enablement.in(facts.who.workspace.id)
    return request.json({ data: platformMap(kernel.parts, facts.who.actor, on) })
  })

  app.get('/plugins/:id/what-breaks', async (request) => {
    const { facts } = request.env
    demand(facts, 'core.plugin.read')
    const { id: workspace } = facts.who.workspace
    const id = request.req.param('id')
    const standsHere = (await enablement.standingsIn(workspace)).has(id)
    const plugin = standsHere ? kernel.parts.loaded.get(id) : kernel.plugin(id)
    const on = await enablement.in(workspace)
    const data = await inUnit(facts, request.req.raw, async (ctx) =>
      plugin ? breakageOf(kernel.parts, ctx, on, plugin) : breakageWithoutCode(kernel.parts, ctx, id),
    )
    return request.json({ data })
  })

  for (const verb of ['enable', 'disable', 'retry'] as const) {
    app.post(`/plugins/:id/${verb}`, async (request) => {
      const { facts } = request.env
      demand(facts, 'core.plugin.toggle')
      const { workspace, actor } = facts.who
      const id = request.req.param('id')
      const by = actor.type === 'user' ? actor.id : undefined
      const body = parsed(disableBody, await readJson(request.req.raw))
      if (verb === 'enable') await toggle.enable(workspace, id, by)
      else if (verb === 'retry') {
        // It runs for all workspaces, as what is installed does.
        await installer.demandHome(workspace.id)
        await revival.revive(id, { workspace: workspace.id, by })
      } else await toggle.disable(workspace, id, by, body.cascade ?? false)
      const on = await enablement.in(workspace.id)
      const cards = await inUnit(facts, request.req.raw, (ctx) => pluginCards(kernel.parts, ctx, on))
      return request.json({ data: cards.find((card) => card.id === id) })
    })
  }
  return app
}
