import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import { isDatabaseError } from '../database/database-error.ts'
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

const longestStack = 4_000
const longestDetail = 500

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
    const detail = detailOf(error, kind)
    const stack = `${detail}\n${framesOf(error).join('\n')}`.slice(0, longestStack)
    const code = error instanceof SocleError ? error.code : 'INTERNAL'
    const at = this.#clock.now().toISOString()
    try {
      await sql`
        insert into core.plugin_incident (id, plugin, workspace, kind, code, detail, stack, fingerprint, first_at, last_at)
        values (${uuidv7()}::uuid, ${plugin}, ${workspace ?? null}::uuid, ${kind}, ${code}, ${detail}, ${stack},
          ${fingerprint(kind, stack)}, ${at}::timestamptz, ${at}::timestamptz)
        on conflict (plugin, workspace, kind, fingerprint) do update set count = core.plugin_incident.count + 1,
          detail = excluded.detail, stack = excluded.stack, last_at = excluded.last_at`.execute(this.#database.owner)
    } catch (failure) {
      this.#log.error({ err: failure, plugin }, 'an incident could not be kept')
    }
  }
}

/**
 * What of a fault may be kept and shown: its kind and sentence without the values it quotes, which may be anybody's. The log
 * has them.
 */
export function detailOf(error: unknown, kind?: IncidentKind): string {
  if (error instanceof SocleError) return withoutValues(error).slice(0, longestDetail)
  if (isDatabaseError(error)) return `The database refused it: ${error.constraint ?? `PostgreSQL ${error.code}`}.`
  if (!(error instanceof Error)) return `Something that is no error was thrown: ${typeof error}.`
  const { code } = error as { code?: unknown }
  // The words of an engine or a loader name code. Those of anybody else may name a person.
  if (engineErrors.has(error.name) || (kind !== undefined && ofLoading.has(kind)))
    return `${error.name}: ${masked(error.message)}`.slice(0, longestDetail)
  return `${error.name}${typeof code === 'string' ? ` ${code}` : ''}: its words stand in the log alone.`
}

function withoutValues({ code, message, values }: SocleError): string {
  // Of code that does not load or migrate, the values are places in it.
  if (ofCode.has(code)) return message
  const quoted = Object.values(values).filter((it): it is string => typeof it === 'string' && it.length > 1)
  return quoted.toSorted((a, b) => b.length - a.length).reduce((text, value) => text.replaceAll(value, '…'), message)
}

const engineErrors: ReadonlySet<string> = new Set(['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError'])
const ofLoading: ReadonlySet<IncidentKind> = new Set(['load', 'migration', 'declaration'])
const ofCode: ReadonlySet<string> = new Set([
  'CONTRIBUTION_COLLISION',
  'HANDLER_TIMED_OUT',
  'MANIFEST_MISMATCH',
  'MIGRATION_FAILED',
  'PLATFORM_INCOMPATIBLE',
  'PLUGIN_CYCLE',
  'PLUGIN_LOAD_TIMED_OUT',
  'PLUGIN_REQUIREMENT_MISSING',
  'PLUGIN_STALLING',
  'PLUGIN_START_TIMED_OUT',
])

/** Names in the code stay, such as those of a property that was read of nothing; words, addresses and numbers go. */
function masked(message: string): string {
  return message
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/'(?![\w$.:@/-]+')[^']*'/g, "'…'")
    .replaceAll(/\S+@\S+/g, '…')
    .replaceAll(/\+?\d[\d .()-]{4,}\d/g, '…')
}

/** Where it happened, innermost first: `at file:line`. */
export function framesOf(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  // A refusal is made by its factory, which is never the place.
  return stack.split('\n').filter((line) => /^ {4}at (?!factory \()/.test(line))
}

/** The same place in the code is the same fault, whatever values its sentence quotes. */
function fingerprint(kind: IncidentKind, stack: string): string {
  const places = stack.split('\n').filter((line) => line.startsWith('    at '))
  const same = places.length > 0 ? places.slice(0, 3).join('\n') : stack
  return createHash('sha256').update(`${kind}\n${same}`).digest('base64url').slice(0, 22)
}
