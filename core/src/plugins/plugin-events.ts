import { z } from 'zod'
import { defineEvent } from '../events/event.ts'

const payload = z.object({ plugin: z.string(), by: z.uuid().nullable() })

/** A module came on in this workspace. */
export const PluginEnabled = defineEvent('core.plugin.enabled', { version: 1, payload })

/** A module went off in this workspace. */
export const PluginDisabled = defineEvent('core.plugin.disabled', { version: 1, payload })

/** A module was stopped in this workspace after faults of its own. */
export const PluginQuarantined = defineEvent('core.plugin.quarantined', {
  version: 1,
  payload: z.object({ plugin: z.string(), reason: z.string() }),
})

/** What switching modules tells. */
export const pluginEvents = [PluginEnabled, PluginDisabled, PluginQuarantined]
