import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import { SocleError } from '../errors.ts'

/** Where a plugin failed: on its way in, or at its work. */
export type IncidentKind =
  'load' | 'migration' | 'declaration' | 'request' | 'delivery' | 'job' | 'toggle' | 'rejection' | 'stall'

export interface Incident {
  readonly plugin: string
  /** Absent where it concerns the installation, such as code that does not load. */
  readonly workspace?: string
  readonly kind: IncidentKind
  readonly error: unknown
}

// Enough to find the place; a stack may quote what it was given.
const longestStack = 4_000

/** Keeps what went wrong with plugins, each fault once with a count, for administrators to read. */
export class Incidents {
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Logger

  constructor({ database, clock, log }: { database: Database; clock: Clock; log: Logger }) {
    this.#database = database
    this.#clock = clock
    this.#log = log
  }

  /** Never throws: what cannot be kept stands in the log at least. */
  async note({ plugin, workspace, kind, error }: Incident): Promise<void> {
    this.#log.warn({ err: error, plugin, workspace, kind }, 'a plugin failed')
    const fault = error instanceof Error ? error : new Error(String(error))
    const stack = (fault.stack ?? fault.message).slice(0, longestStack)
    const code = fault instanceof SocleError ? fault.code : 'INTERNAL'
    const at = this.#clock.now().toISOString()
    try {
      await sql`
        insert into core.plugin_incident (id, plugin, workspace, kind, code, detail, stack, fingerprint, first_at, last_at)
        values (${uuidv7()}::uuid, ${plugin}, ${workspace ?? null}::uuid, ${kind}, ${code}, ${fault.message.slice(0, 500)}, ${stack},
          ${fingerprint(kind, stack)}, ${at}::timestamptz, ${at}::timestamptz)
        on conflict (plugin, workspace, kind, fingerprint) do update set count = core.plugin_incident.count + 1,
          detail = excluded.detail, stack = excluded.stack, last_at = excluded.last_at`.execute(this.#database.owner)
    } catch (failure) {
      this.#log.error({ err: failure, plugin }, 'an incident could not be kept')
    }
  }
}

/** The same place in the code is the same fault, whatever values its sentence quotes. */
function fingerprint(kind: IncidentKind, stack: string): string {
  const places = stack.split('\n').filter((line) => line.startsWith('    at '))
  const same = places.length > 0 ? places.slice(0, 3).join('\n') : stack
  return createHash('sha256').update(`${kind}\n${same}`).digest('base64url').slice(0, 22)
}
