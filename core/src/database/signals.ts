import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Database } from './database.ts'

/** What processes tell each other; small, and only ever a hint to look into the tables. */
export type Signal =
  | { readonly kind: 'records'; readonly workspace: string; readonly changes: readonly RecordSignal[] }
  | { readonly kind: 'deliveries' }
  | { readonly kind: 'plugins'; readonly switched?: SwitchSignal }
  | { readonly kind: 'permissions'; readonly workspace?: string }

export interface RecordSignal {
  readonly resource: string
  readonly id: string
  readonly action: string
  readonly version: number
}

/** That nothing changed but one plugin, on or off in one workspace. Without it what is installed may have changed, or any switch. */
export interface SwitchSignal {
  readonly workspace: string
  /** The installation's, as this switch has raised it. */
  readonly generation: number
}

const channel = 'socle'
const payloadSchema = z.object({ from: z.string(), signals: z.array(z.looseObject({ kind: z.string() })) })
// NOTIFY takes at most 8,000 bytes.
const maxChanges = 60

/**
 * Hints between processes, by LISTEN and NOTIFY.
 *
 * A notification in every write would cost 40 % of the insert throughput, so those of one short moment leave together
 * after their commits. A lost hint loses nothing: whoever needs the truth polls its table too.
 */
export class Signals {
  readonly #database: Database
  readonly #self = randomUUID()
  readonly #hearers = new Set<(signal: Signal) => void>()
  #waiting: Signal[] = []
  #timer: NodeJS.Timeout | undefined
  #stop: (() => Promise<void>) | undefined

  constructor(database: Database) {
    this.#database = database
  }

  async start(): Promise<void> {
    this.#stop = await this.#database.listen(
      channel,
      (payload) => {
        const told = signalsIn(payload)
        if (told && told.from !== this.#self) for (const signal of told.signals) this.#hear(signal)
      },
      this.#lookAgain,
    )
  }

  on(hear: (signal: Signal) => void): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  /** Tells this process now and the others within some milliseconds. */
  send(signal: Signal): void {
    this.#hear(signal)
    if (this.#database.kind === 'pglite') return
    this.#waiting.push(signal)
    this.#timer ??= setTimeout(() => void this.#flush(), 5)
  }

  /** Tells this process alone, about something all of them find out by themselves. */
  here(signal: Signal): void {
    this.#hear(signal)
  }

  /** What was said while nobody could listen is lost: whoever keeps something reads it anew. */
  readonly #lookAgain = (): void => {
    for (const kind of ['plugins', 'permissions', 'deliveries'] as const) this.#hear({ kind })
  }

  async #flush(): Promise<void> {
    const signals = merge(this.#waiting)
    this.#waiting = []
    this.#timer = undefined
    for (const signal of signals) {
      const payload = JSON.stringify({ from: this.#self, signals: [signal] })
      // Nobody need wait for the disk because of a hint.
      await sql`select set_config('synchronous_commit', 'off', true), pg_notify(${channel}, ${payload})`
        .execute(this.#database.owner)
        .catch(() => {})
    }
  }

  #hear(signal: Signal): void {
    for (const hear of this.#hearers) hear(signal)
  }

  async stop(): Promise<void> {
    if (this.#timer) {
      clearTimeout(this.#timer)
      await this.#flush()
    }
    await this.#stop?.()
  }
}

/** Same hints once, record changes of one workspace in as few messages as the limit allows. */
function merge(signals: readonly Signal[]): Signal[] {
  const plain = new Map<string, Signal>()
  const changes = new Map<string, RecordSignal[]>()
  for (const signal of signals) {
    if (signal.kind === 'records')
      changes.set(signal.workspace, [...(changes.get(signal.workspace) ?? []), ...signal.changes])
    else plain.set(JSON.stringify(signal), signal)
  }
  const merged = [...plain.values()]
  for (const [workspace, all] of changes) {
    for (let at = 0; at < all.length; at += maxChanges) {
      merged.push({ kind: 'records', workspace, changes: all.slice(at, at + maxChanges) })
    }
  }
  return merged
}

/** Whoever may reach the server may notify: what no process of the platform has said is not heard. */
function signalsIn(payload: string): { readonly from: string; readonly signals: readonly Signal[] } | undefined {
  try {
    return payloadSchema.parse(JSON.parse(payload)) as { from: string; signals: Signal[] }
  } catch {
    return undefined
  }
}
