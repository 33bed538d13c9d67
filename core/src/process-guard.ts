import type { Logger } from 'pino'
import { SocleError } from './errors.ts'
import type { Faults } from './plugins/faults.ts'
import { running } from './plugins/running.ts'

/** Stands before the process itself, so that no plugin ends it. */
export interface ProcessGuard {
  /** From now on failures are counted there; those of plugins that are being loaded are only logged. */
  tell(faults: Faults): void
  leave(): void
}

/**
 * Hears what nobody caught. What can be blamed on a plugin is that plugin's failure and no more; anything else ends the
 * process, as Node.js does where nobody listens, for then nobody knows what still holds.
 */
export function guardProcess(log: Logger): ProcessGuard {
  let faults: Faults | undefined
  const hear = (error: unknown): void => {
    // Whatever was begun for a plugin, and its timers and promises after it, knows for whom it runs.
    const who = running.getStore()
    const plugin = faults ? faults.blame(error) : who?.plugin
    if (plugin === undefined || plugin === 'core') {
      log.fatal({ err: error }, 'nobody caught this, and no plugin can be blamed')
      process.stderr.write(`${saidOf(error)}\n`)
      process.exit(1)
    }
    log.error({ err: error, plugin }, 'a plugin left a failure to nobody')
    const workspace = who?.plugin === plugin ? who.workspace : undefined
    faults?.failed({ kind: 'rejection', error, plugin, workspace })
  }
  process.on('unhandledRejection', hear)
  process.on('uncaughtException', hear)
  return {
    tell(counting) {
      faults = counting
    },
    leave() {
      process.off('unhandledRejection', hear)
      process.off('uncaughtException', hear)
    },
  }
}

/** A refusal is a sentence to whoever started the process: where in the code it was thrown is in the log. */
function saidOf(error: unknown): string {
  if (error instanceof SocleError) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
