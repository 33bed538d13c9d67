import { createHash } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import { isDatabaseError } from '../database/database-error.ts'
import { SocleError } from '../errors.ts'
import type { JobDefinition } from './define-plugin.ts'

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

const keptDays = 90

/** Every night; a fault that comes again is kept on. */
export const nightlyIncidentRetention: JobDefinition = {
  id: 'nightly-incident-retention',
  schedule: '40 4 * * *',
  async run({ sql: tx, clock }) {
    const before = new Date(clock.now().getTime() - keptDays * 86_400_000).toISOString()
    await sql`select core.forget_incidents(${before}::timestamptz)`.execute(tx)
  },
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
  const quoted = textsIn(values).filter((it) => it.length > 1)
  // What is quoted may stand there in another form than the value has, as an amount does.
  return masked(
    quoted.toSorted((a, b) => b.length - a.length).reduce((text, value) => text.replaceAll(value, '…'), message),
  )
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

const engineErrors: ReadonlySet<string> = new Set(['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError'])
const ofLoading: ReadonlySet<IncidentKind> = new Set(['load', 'migration', 'declaration'])
const ofCode: ReadonlySet<string> = new Set([
  'ANSWER_INVALID',
  'CONTRIBUTION_COLLISION',
  'EVENT_FOREIGN',
  'EVENT_INVALID',
  'EVENT_UNDECLARED',
  'EVENT_VERSION_UNHEARD',
  'HANDLER_TIMED_OUT',
  'MANIFEST_MISMATCH',
  'MIGRATION_ALTERED',
  'MIGRATION_FAILED',
  'MIGRATION_OPENS_WALL',
  'MIGRATION_OUT_OF_SCHEMA',
  'OFFER_FOREIGN',
  'PLATFORM_INCOMPATIBLE',
  'PLUGIN_CYCLE',
  'PLUGIN_LOAD_TIMED_OUT',
  'PLUGIN_REQUIREMENT_MISSING',
  'PLUGIN_STALLING',
  'PLUGIN_START_TIMED_OUT',
  'SERVICE_ENDED',
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

/**
 * Where a plugin's own code failed, as `src/subscribers.ts:12`.
 *
 * @param root - the plugin's folder; without one, the innermost place that is neither the platform's nor a dependency's is taken
 */
export function placeOf(error: unknown, root?: URL): string | undefined {
  const folder = root && fileURLToPath(root)
  const places = framesOf(error).flatMap((frame) => {
    const [, file = '', line] = /^ {4}at (?:async )?(?:.*\()?(.+):(\d+):\d+\)?$/.exec(frame) ?? []
    return line === undefined ? [] : [{ file: file.startsWith('file:') ? fileURLToPath(file) : file, line }]
  })
  const own = folder === undefined ? undefined : places.find(({ file }) => file.startsWith(folder))
  if (folder !== undefined && own) return `${own.file.slice(folder.length)}:${own.line}`
  const near = places.find(
    ({ file }) => isAbsolute(file) && !file.startsWith(platform) && !/[/\\]node_modules[/\\]/.test(file),
  )
  return near && `${near.file.split(/[/\\]/).slice(-3).join('/')}:${near.line}`
}

const platform = fileURLToPath(new URL('..', import.meta.url))

/** The same place in the code is the same fault, whatever values its sentence quotes. */
function fingerprint(kind: IncidentKind, stack: string): string {
  const places = stack.split('\n').filter((line) => line.startsWith('    at '))
  const same = places.length > 0 ? places.slice(0, 3).join('\n') : stack
  return createHash('sha256').update(`${kind}\n${same}`).digest('base64url').slice(0, 22)
}
