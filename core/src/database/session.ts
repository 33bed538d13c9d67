import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * `*` for people of the house, their API keys and the platform's own work; else the partners a partner's person stands for,
 * and the instant by which what was opened to them is still open.
 */
export type WallSide = '*' | { readonly partners: readonly string[]; readonly now: Date }

/** What PostgreSQL knows about the work in hand; row level security reads it. */
export interface SessionContext {
  /** Workspace id, a UUID. Without one no row of any workspace is visible. */
  readonly workspace?: string
  /** Acting user's id, a UUID. */
  readonly actor?: string
  /** Which side of the second wall the work stands on; nobody stands inside it by having said nothing. */
  readonly partner: WallSide
  /** The work only reads: PostgreSQL refuses it any write, and nobody has to wait for its end. */
  readonly readonly?: boolean
}

interface OpenWork {
  open: boolean
}

const beginning = new AsyncLocalStorage<SessionContext>()
const working = new AsyncLocalStorage<OpenWork>()

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The non-owner role every statement of the application runs as. */
export const appRole = 'socle_app'

/** Nothing was kept although the work went on to its end. */
export const lostCommit =
  'The transaction had failed before its commit: a statement’s error was caught and not thrown on.'

/** Statements that open a transaction as the application's role for the context of the caller, in one string. */
export function openingStatements(): string {
  const context: Partial<SessionContext> = beginning.getStore() ?? {}
  const settings = [`set local role ${appRole}`]
  for (const key of ['workspace', 'actor'] as const) {
    const value = context[key]
    if (value === undefined) continue
    settings.push(`set local app.${key} = '${plainId(key, value)}'`)
  }
  const { partner } = context
  if (partner === '*') settings.push("set local app.partner = '*'")
  else if (partner) {
    const ids = partner.partners.map((id) => plainId('partner', id))
    settings.push(`set local app.partner = '${ids.join(',')}'`, `set local app.now = '${partner.now.toISOString()}'`)
  }
  return `begin${context.readonly ? ' read only' : ''}; ${settings.join('; ')}`
}

/** Values are written into the statement to save a round trip, so they must be nothing but UUIDs. */
function plainId(key: string, value: string): string {
  if (!uuid.test(value)) throw new Error(`app.${key} must be a UUID, got "${value}"`)
  return value
}

/** Whether the transaction that is being begun only reads. */
export function opensReadonly(): boolean {
  return beginning.getStore()?.readonly === true
}

/** Runs `start` so that the transaction it begins carries `context`. */
export function beginIn<T>(context: SessionContext, start: () => Promise<T>): Promise<T> {
  return beginning.run(context, start)
}

/** Runs `work` as one unit; until it ends, no other connection may be asked for from inside it. */
export async function asUnit<T>(work: () => Promise<T>): Promise<T> {
  const unit: OpenWork = { open: true }
  try {
    return await working.run(unit, work)
  } finally {
    unit.open = false
  }
}

/** A second connection inside a unit of work would wait for itself on PGlite's only one, and see other data on a server. */
export function refuseInsideUnit(): void {
  if (working.getStore()?.open) {
    throw new Error(
      'A second database connection was asked for inside a unit of work. Use its own transaction instead.',
    )
  }
}
