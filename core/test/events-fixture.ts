import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import pg from 'pg'
import { pino } from 'pino'
import { z } from 'zod'
import { dateIn, type Clock } from '../src/clock.ts'
import type { Context } from '../src/context.ts'
import { serverDatabase, type Database, type Sql } from '../src/database/database.ts'
import { embeddedTestDatabase } from '../src/testing/test-database.ts'
import { migrate } from '../src/database/migrator.ts'
import { Signals } from '../src/database/signals.ts'
import { EventCatalog } from '../src/events/catalog.ts'
import { Deliveries, DeliveryDied, type DeliveriesOptions } from '../src/events/deliveries.ts'
import { defineEvent, type Emission, type EventDefinition, type StoredEvent } from '../src/events/event.ts'
import { flushEmissions } from '../src/events/outbox.ts'
import { recordChange } from '../src/events/record-events.ts'
import type { RunUnit, UnitRequest } from '../src/events/run-unit.ts'
import { limitUnit } from '../src/unit-end.ts'
import { keepSubscriptions } from '../src/events/subscriptions.ts'
import { definePlugin, subscriber, type PluginDefinition } from '../src/plugins/define-plugin.ts'

const migrations = new URL('../migrations/', import.meta.url)

export const PieceMoved = defineEvent('probe.piece.moved', {
  version: 1,
  payload: z.object({ step: z.int(), writer: z.string().default('one') }),
})

/** What a later release tells beside it. */
export const PieceMovedFurther = defineEvent('probe.piece.moved', { version: 2, payload: z.object({ paces: z.int() }) })

/** A record's own change: it names the fields that changed. */
export const PieceChanged = defineEvent('probe.piece.updated', { version: 1, payload: recordChange })

export type PieceMovedEvent = StoredEvent<z.output<typeof PieceMoved.payload>>

/** Databases these tests run on: always the embedded one, a server's when one is given. */
export const kinds: readonly Database['kind'][] = process.env['TEST_DATABASE_URL'] ? ['postgres'] : ['pglite']

/** Time that a test moves by hand, or the system's. */
export class ProbeClock implements Clock {
  #now: Date | undefined

  constructor(now?: string) {
    if (now !== undefined) this.#now = new Date(now)
  }
  now(): Date {
    return this.#now ?? new Date()
  }
  today(zone: string): string {
    return dateIn(zone, this.now())
  }
  advance(seconds: number): void {
    this.#now = new Date(this.now().getTime() + seconds * 1_000)
  }
}

/** A subscriber that writes each step it hears into `public.heard`, in its own transaction. */
export function probePlugin(
  hear: (event: PieceMovedEvent, ctx: Context) => Promise<void> = writeDown,
  id = 'probe',
): PluginDefinition {
  return definePlugin({
    id,
    version: '1.0.0',
    platform: '^1.0.0',
    title: { en: 'Probe', fr: 'Sonde' },
    emits: [PieceMoved],
    subscribers: [subscriber('write-down', PieceMoved, hear)],
  })
}

export async function writeDown({ id, key, payload }: PieceMovedEvent, { sql: tx, workspace }: Context): Promise<void> {
  await sql`insert into public.heard (workspace, key, step, event) values (${workspace.id}::uuid, ${key}::uuid, ${payload.step}, ${id}::uuid)`.execute(
    tx,
  )
}

/** Where a unit of work is: in the handler of a delivery it took, or at its end. */
export type Place = 'taken' | 'handling' | 'worked' | 'flushed' | 'committed'

/** The part of the kernel that events stand on: a database, a workspace, units of work, signals and time. */
export class Bench {
  readonly database: Database
  readonly clock: Clock
  readonly signals: Signals
  readonly catalog = new EventCatalog([PieceMoved, PieceMovedFurther, PieceChanged, DeliveryDied])
  readonly log = pino({ level: 'silent' })
  workspace: string
  /** Asked at each place of a unit that tells or hears something, so that a process may be killed there. */
  at: (place: Place) => Promise<void> = async () => {}

  constructor(database: Database, clock: Clock, workspace: string) {
    this.database = database
    this.clock = clock
    this.workspace = workspace
    this.signals = new Signals(database)
  }

  static async open(database: Database, clock: Clock): Promise<Bench> {
    const bench = new Bench(database, clock, randomUUID())
    await migrate(database.owner, 'core', migrations)
    await sql`create table if not exists public.heard (seq bigint generated always as identity, workspace uuid, key uuid, step integer, event uuid)`.execute(
      database.owner,
    )
    await sql`grant all on public.heard to socle_app`.execute(database.owner)
    await bench.addWorkspace(bench.workspace)
    await bench.signals.start()
    return bench
  }

  async addWorkspace(id: string): Promise<void> {
    await sql`insert into core.workspace (id, slug, name) values (${id}::uuid, ${id}, 'Probe')`.execute(
      this.database.owner,
    )
  }

  async switchPlugin(state: 'enabled' | 'disabled', plugin = 'probe', workspace = this.workspace): Promise<void> {
    await sql`insert into core.plugin_workspace (plugin, workspace, state) values (${plugin}, ${workspace}::uuid, ${state})
      on conflict (workspace, plugin) do update set state = excluded.state`.execute(this.database.owner)
  }

  readonly runUnit: RunUnit = async <T>(
    { workspace, plugin, signal, limit }: UnitRequest,
    work: (ctx: Context) => Promise<T>,
  ): Promise<T> => {
    const ended = new AbortController()
    signal?.addEventListener('abort', () => ended.abort(signal.reason))
    const unlimit = limit && limitUnit(limit, { plugin, workspace }, ended)
    const emissions: Emission[] = []
    let deliveries = 0
    const after: (() => void)[] = []
    const pass = async (place: Place) => {
      if (emissions.length + after.length > 0) await this.at(place)
    }
    const transact = async (tx: Sql) => {
      const at = this.clock.now().toISOString()
      const ctx = {
        workspace: { id: workspace },
        sql: tx,
        signal: ended.signal,
        log: this.log,
        clock: { now: () => this.clock.now() },
        actor: { type: 'system', name: 'Probe', locale: 'en' },
        emit: (event: EventDefinition, payload: unknown, { key }: { key: string }) =>
          void emissions.push(this.catalog.emission('probe', event, payload, key)),
        afterCommit: (run: () => void) => after.push(run),
      } as unknown as Context
      const answer = await work(ctx)
      await pass('worked')
      ;({ deliveries } = await flushEmissions(tx, { workspace, emissions, at }))
      await pass('flushed')
      return answer
    }
    const result = await this.database.transaction({ workspace, partner: '*' }, transact, ended.signal)
    unlimit?.()
    await pass('committed')
    if (deliveries > 0) this.signals.send({ kind: 'deliveries' })
    for (const run of after) run()
    return result
  }

  async tell(key: string, step: number, workspace = this.workspace): Promise<void> {
    await this.runUnit({ workspace, plugin: 'probe', cause: { origin: 'system' } }, async (ctx) =>
      ctx.emit(PieceMoved, { step }, { key }),
    )
  }

  async deliveries(
    plugins: readonly PluginDefinition[],
    options: Partial<DeliveriesOptions> = {},
  ): Promise<Deliveries> {
    await keepSubscriptions(this.database.owner, plugins)
    const { database, clock, signals, catalog, log, runUnit } = this
    const deliveries = new Deliveries({ database, clock, signals, log, runUnit, ...options })
    deliveries.prepare({ plugins, events: catalog })()
    return deliveries
  }

  async heard(key: string): Promise<readonly number[]> {
    const { rows } = await sql<{
      step: number
    }>`select step from public.heard where key = ${key}::uuid order by seq`.execute(this.database.owner)
    return rows.map(({ step }) => step)
  }

  async waiting(): Promise<readonly { state: string; key: string; attempts: number; last_error: string | null }[]> {
    const { rows } = await sql<{ state: string; key: string; attempts: number; last_error: string | null }>`
      select state, key, attempts, last_error from core.delivery order by seq`.execute(this.database.owner)
    return rows
  }

  async close(): Promise<void> {
    await this.signals.stop()
    await this.database.close()
  }
}

/** Makes a database of its own on the test server; `drop` takes it away again. */
export async function ownServerDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const server = new URL(process.env['TEST_DATABASE_URL'] ?? '')
  const name = `socle_probe_${randomUUID().slice(0, 8)}`
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: server.href })
    await client.connect()
    await client.query(statement)
    await client.end()
  }
  await admin(`create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => admin(`drop database if exists ${name} with (force)`) }
}

/** A bench on either database, with what takes it away. */
export async function openBench(
  kind: Database['kind'],
  clock: Clock,
): Promise<{ bench: Bench; url: string; close: () => Promise<void> }> {
  if (kind === 'pglite') {
    const bench = await Bench.open(await embeddedTestDatabase(), clock)
    return { bench, url: '', close: () => bench.close() }
  }
  const { url, drop } = await ownServerDatabase()
  const bench = await Bench.open(await serverDatabase(url), clock)
  return {
    bench,
    url,
    close: async () => {
      await bench.close()
      await drop()
    },
  }
}
