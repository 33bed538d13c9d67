import { AsyncLocalStorage } from 'node:async_hooks'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { Database } from '../database/database.ts'
import type { RecordSignal, Signal, Signals } from '../database/signals.ts'
import { wallSide } from '../permissions/wall-side.ts'
import { changesRights } from '../permissions/authorities.ts'
import type { Authority } from '../permissions/authority.ts'
import { changesFields } from '../records/fields/own-fields.ts'
import type { ResourceCatalog } from '../records/model.ts'
import { oneByOne } from '../records/one-by-one.ts'
import { changesDeliveries } from './delivery-entry.ts'

/** Who listens: one signed-in session in one workspace. */
export interface Listener {
  readonly workspace: string
  /** Acting user's id, for the session context of the database. */
  readonly actor?: string
  /** The rights at this moment; undefined when the session has ended. */
  authority(): Promise<Authority | undefined>
}

export interface LiveStreamOptions {
  readonly database: Database
  readonly signals: Signals
  readonly catalog: (workspace: string) => ResourceCatalog
  readonly clock: Clock
  readonly log: Logger
  readonly heartbeatMilliseconds?: number
  readonly recheckMilliseconds?: number
}

// What happens within this time is asked for and sent at once.
const gatherMilliseconds = 20
// More than a tab could redraw. A listener this far behind is let go: it comes back and reads anew.
const maxPending = 2_000
const bufferBytes = 64 * 1024

/**
 * Tells open tabs what changes while they look, each only what it may see: server-sent events.
 *
 * A record's event carries no values, so that a tab fetches them through the same gate as everything else. There is
 * no history: a tab that was away reads its screen again.
 */
export class LiveStream {
  readonly #options: Required<LiveStreamOptions>
  readonly #connections = new Set<LiveConnection>()
  // A signal is heard in the middle of the unit of work that sent it; a query must not be mistaken for a part of that.
  readonly #outside = AsyncLocalStorage.snapshot()
  #unhear: (() => void) | undefined
  #timers: NodeJS.Timeout[] = []

  constructor(options: LiveStreamOptions) {
    this.#options = { heartbeatMilliseconds: 20_000, recheckMilliseconds: 60_000, ...options }
  }

  start(): void {
    const { signals, heartbeatMilliseconds, recheckMilliseconds } = this.#options
    this.#unhear = signals.on((signal) => this.#outside(() => this.#hear(signal)))
    this.#timers = [
      setInterval(() => this.#each((connection) => connection.beat()), heartbeatMilliseconds),
      setInterval(() => this.#each((connection) => connection.recheck()), recheckMilliseconds),
    ]
  }

  stop(): void {
    this.#unhear?.()
    for (const timer of this.#timers) clearInterval(timer)
    this.#each((connection) => connection.close())
  }

  /** Open streams of this process. */
  get size(): number {
    return this.#connections.size
  }

  /** Answers `GET /api/core/live`: a stream until the tab, the session or the process ends. */
  handler(request: Request, who: Listener): Response {
    const connection = new LiveConnection(who, this.#options, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    request.signal.addEventListener('abort', () => connection.close(), { once: true })
    if (request.signal.aborted) connection.close()
    void this.#outside(() => this.#tellGeneration([connection]))
    return new Response(connection.stream, {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Proxies that gather answers would hold the events back.
        'x-accel-buffering': 'no',
      },
    })
  }

  #each(act: (connection: LiveConnection) => void): void {
    for (const connection of this.#connections) act(connection)
  }

  #hear(signal: Signal): void {
    switch (signal.kind) {
      case 'records': {
        // The same for every tab.
        const fields = changesFields(signal)
        const settings = changesSettings(signal)
        const deliveries = changesDeliveries(signal)
        const rights = changesRights(signal)
        return this.#each((connection) => {
          connection.offer(signal.workspace, signal.changes)
          if (connection.workspace !== signal.workspace) return
          // Says nothing of the field or the setting: what of it a tab may see stands in its own document.
          if (fields || settings) connection.send('fields.changed', {})
          // Nor whose delivery, or of what: who may look at deliveries asks again.
          if (deliveries) connection.send('deliveries.changed', {})
          // Somebody who is no longer here, or may no longer see something, hears nothing more of it.
          if (fields || rights) connection.recheck()
        })
      }
      case 'permissions':
        return this.#each((connection) => {
          if (signal.workspace === undefined || signal.workspace === connection.workspace) connection.recheck()
        })
      case 'plugins': {
        const { switched } = signal
        const told = [...this.#connections].filter((it) => !switched || it.workspace === switched.workspace)
        void this.#tellGeneration(told)
        // Resources came or went, and with them what a role reaches.
        for (const connection of told) connection.recheck()
        return
      }
      case 'deliveries':
        return
    }
  }

  async #tellGeneration(connections: readonly LiveConnection[]): Promise<void> {
    if (connections.length === 0) return
    try {
      const { rows } = await sql<{ generation: number }>`select value as generation from core.generation`.execute(
        this.#options.database.owner,
      )
      for (const connection of connections) connection.send('plugin.generation', rows[0])
    } catch (error) {
      this.#options.log.error({ err: error }, 'the generation could not be told to open tabs')
    }
  }
}

/** Whether a hint is about the workspace itself: its name, or what it calls its records. */
function changesSettings(signal: Signal): boolean {
  return signal.kind === 'records' && signal.changes.some(({ resource }) => resource === 'core.workspace')
}

/** One tab's stream. */
class LiveConnection {
  readonly stream: ReadableStream<Uint8Array>
  readonly #who: Listener
  readonly #options: Required<LiveStreamOptions>
  readonly #onClose: () => void
  readonly #encoder = new TextEncoder()
  readonly #pending = new Map<string, RecordSignal>()
  /** What could not be written yet, the newest of each kind: all a tab does of it is to look again. */
  readonly #owed = new Map<string, string>()
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #authority: Authority | undefined
  #gathering: NodeJS.Timeout | undefined
  #working = false
  #closed = false

  constructor(who: Listener, options: Required<LiveStreamOptions>, onClose: () => void) {
    this.#who = who
    this.#options = options
    this.#onClose = onClose
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
          controller.enqueue(this.#encoder.encode('retry: 2000\n\n'))
        },
        pull: () => {
          this.#pay()
          this.#soon()
        },
        cancel: () => this.close(),
      },
      { highWaterMark: bufferBytes, size: (chunk) => chunk.byteLength },
    )
  }

  get workspace(): string {
    return this.#who.workspace
  }

  offer(workspace: string, changes: readonly RecordSignal[]): void {
    if (workspace !== this.#who.workspace || this.#closed) return
    for (const change of changes) this.#pending.set(`${change.resource} ${change.id}`, change)
    if (this.#pending.size > maxPending) this.close()
    else this.#soon()
  }

  /** Asks for the rights anew before anything else is sent, and ends the stream when the session has ended. */
  recheck(): void {
    this.#authority = undefined
    this.#soon(true)
  }

  beat(): void {
    this.#write(': beat\n\n')
  }

  send(event: string, body: unknown): void {
    if (this.#closed) return
    this.#owed.set(event, `event: ${event}\ndata: ${JSON.stringify(body)}\n\n`)
    this.#pay()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#gathering)
    this.#pending.clear()
    this.#owed.clear()
    this.#onClose()
    try {
      this.#controller.close()
    } catch {
      // The reader has cancelled already.
    }
  }

  // A tab that does not read gets nothing more to buffer; what it misses stays in `#pending` and `#owed`, the newest of each.
  get #mayWrite(): boolean {
    return !this.#closed && (this.#controller.desiredSize ?? 0) > 0
  }

  #write(text: string): void {
    if (this.#mayWrite) this.#controller.enqueue(this.#encoder.encode(text))
  }

  #pay(): void {
    for (const [event, text] of this.#owed) {
      if (!this.#mayWrite) return
      this.#owed.delete(event)
      this.#write(text)
    }
  }

  #soon(evenIfNothing = false): void {
    if (this.#closed || (this.#pending.size === 0 && !evenIfNothing)) return
    this.#gathering ??= setTimeout(() => void this.#flush(), gatherMilliseconds)
  }

  async #flush(): Promise<void> {
    this.#gathering = undefined
    if (this.#working) return
    this.#working = true
    try {
      // Whatever arrives, or changes the rights, while the database is asked goes through once more.
      while (!this.#closed && (this.#authority === undefined || (this.#pending.size > 0 && this.#mayWrite))) {
        await this.#flushOnce()
      }
    } catch (error) {
      this.#options.log.error({ err: error }, 'a live stream failed')
      this.close()
    } finally {
      this.#working = false
    }
  }

  async #flushOnce(): Promise<void> {
    if (this.#authority === undefined) {
      this.#authority = await this.#who.authority()
      if (this.#authority === undefined) this.close()
      return
    }
    const authority = this.#authority
    const changes = [...this.#pending.values()]
    this.#pending.clear()
    const visible = await this.#visible(authority, changes)
    if (authority !== this.#authority) {
      // The rights changed while we asked: ask again, older news never in place of newer.
      for (const change of changes) {
        const key = `${change.resource} ${change.id}`
        if (!this.#pending.has(key)) this.#pending.set(key, change)
      }
      return
    }
    if (visible.length === 0 || this.#closed) return
    const events = visible.map(
      ({ resource, id, action, version }) =>
        `event: record\ndata: ${JSON.stringify({ resource, id, action, version })}\n\n`,
    )
    this.#controller.enqueue(this.#encoder.encode(events.join('')))
  }

  /** The changes whose records the listener may see, by the permission compiler: one query per resource. */
  async #visible(authority: Authority, changes: readonly RecordSignal[]): Promise<readonly RecordSignal[]> {
    const visible: RecordSignal[] = []
    for (const [resource, ofResource] of Map.groupBy(changes, (change) => change.resource)) {
      const model = this.#options.catalog(this.workspace).get(resource)
      const access = model && authority.compile(model, 'read')
      if (!model || !access?.allowed) continue
      if (access.everything) {
        visible.push(...ofResource)
        continue
      }
      const { workspace, actor } = this.#who
      const { clock } = this.#options
      const ids = ofResource.map(({ id }) => id)
      const seen = await this.#options.database.transaction(
        { workspace, partner: wallSide(authority, clock), ...(actor === undefined ? {} : { actor }) },
        async (tx) => {
          const { rows } = await sql<{ id: string }>`
            select t.id from ${oneByOne(
              [...new Set(ids)],
              'uuid',
              sql`select t.id from ${sql.table(`${model.schema}.${model.table}`)} t
                where t.workspace = ${workspace}::uuid and t.id = given.key and ${access.where('t')}`,
            )}`.execute(tx)
          return new Set(rows.map(({ id }) => id))
        },
      )
      visible.push(...ofResource.filter(({ id }) => seen.has(id)))
    }
    return visible
  }
}
