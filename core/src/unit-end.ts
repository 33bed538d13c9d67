import { defineError, type SocleError } from './errors.ts'
import { pluginFailed } from './plugins/errors.ts'
import type { Running } from './plugins/running.ts'

export const unitAbandoned = defineError(
  'UNIT_ABANDONED',
  499,
  () => 'This was broken off before it was done, and nothing of it was kept. Send it again.',
)

/** How long code of plugins may take in one unit of work, and what is said of the one that takes longer. */
export interface UnitLimit {
  readonly seconds: number
  readonly late: (values: { readonly plugin: string; readonly seconds: number }) => SocleError
}

/**
 * Ends a unit of work whose plugin takes longer than its limit, its own or one that works in it on another's behalf. What the
 * platform takes for itself is nobody's fault and goes on.
 *
 * @returns to be called when the work has ended
 */
export function limitUnit({ seconds, late }: UnitLimit, unit: Running, ended: AbortController): () => void {
  const half = seconds * 500
  const look = () => {
    const guest = unit.guests?.at(-1)
    const plugin = guest && performance.now() - guest.since >= half ? guest.plugin : unit.plugin
    if (plugin === 'core') {
      timer = setTimeout(look, half).unref()
      return
    }
    const error = late({ plugin, seconds })
    ended.abort(plugin === unit.plugin ? error : Object.assign(pluginFailed({ plugin }, { plugin }), { cause: error }))
  }
  let timer = setTimeout(look, seconds * 1_000).unref()
  return () => clearTimeout(timer)
}
