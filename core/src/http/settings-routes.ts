import { Hono } from 'hono'
import { z } from 'zod'
import type { Kernel } from '../kernel.ts'
import { pluginDisabled, settingsAbsent } from '../plugins/errors.ts'
import type { SettingsDefinition } from '../plugins/settings/define-settings.ts'
import { readJson } from './body.ts'
import { parsed } from './parsed.ts'
import { unitOf } from './resource-routes.ts'
import { demand, type PluginEnv, type RequestFacts } from './who.ts'

const change = z.strictObject({ version: z.int(), values: z.record(z.string(), z.unknown()) })

/** What a workspace chooses for each of its modules, below `/api/core/plugins/:id/settings`. */
export function settingsRoutes(kernel: Kernel): Hono<PluginEnv> {
  const app = new Hono<PluginEnv>()
  const { settings, enablement } = kernel.parts

  /** @throws `PERMISSION_DENIED`, `PLUGIN_UNKNOWN`, `PLUGIN_DISABLED`, `SETTINGS_ABSENT` */
  const definitionFor = async (facts: RequestFacts, plugin: string): Promise<SettingsDefinition> => {
    demand(facts, 'core.plugin.configure')
    const definition = kernel.plugin(plugin).settings
    if (!(await enablement.in(facts.who.workspace.id)).has(plugin)) throw pluginDisabled({ plugin })
    if (!definition) throw settingsAbsent({ plugin })
    return definition
  }

  app.get('/plugins/:id/settings', async (request) => {
    const { facts } = request.env
    const definition = await definitionFor(facts, request.req.param('id'))
    const form = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core', readonly: true }, (ctx) =>
      settings.form(ctx, definition),
    )
    return request.json({ data: form })
  })

  app.patch('/plugins/:id/settings', async (request) => {
    const { facts } = request.env
    const { workspace, actor } = facts.who
    const definition = await definitionFor(facts, request.req.param('id'))
    const { version, values } = parsed(change, await readJson(request.req.raw))
    const by = actor.type === 'user' ? actor.id : undefined
    await settings.choose(definition, { workspace: workspace.id, by, version, values })
    const form = await unitOf(kernel, { facts, raw: request.req.raw, plugin: 'core', readonly: true }, (ctx) =>
      settings.form(ctx, definition),
    )
    return request.json({ data: form })
  })
  return app
}
