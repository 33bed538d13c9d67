import { z } from 'zod'
import { defineEvent } from '../../events/event.ts'

const payload = z.object({ plugin: z.string(), version: z.string() })

export const PluginInstalled = defineEvent('core.plugin.installed', { version: 1, payload })
export const PluginUpgraded = defineEvent('core.plugin.upgraded', {
  version: 1,
  payload: payload.extend({ from: z.string() }),
})
export const PluginRemoved = defineEvent('core.plugin.removed', {
  version: 1,
  payload: payload.extend({ mode: z.enum(['keep', 'archive', 'purge']) }),
})

export const storeEvents = [PluginInstalled, PluginUpgraded, PluginRemoved]
