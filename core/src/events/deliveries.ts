import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Context } from '../context.ts'
import { isPluginGone } from '../plugins/errors.ts'
import { isCollision } from '../database/collision.ts'
import { isDatabaseError } from '../database/database-error.ts'
import type { Database, Sql } from '../database/database.ts'
import type { Signals } from '../database/signals.ts'
import { SocleError } from '../errors.ts'
import { backOff, maxAttempts } from './back-off.ts'
import type { FaultSink } from '../plugins/faults.ts'
import { detailOf, placeOf } from '../plugins/incidents.ts'
import type { PluginHolder, PluginSet } from '../plugins/loaded-plugins.ts'
import { EventCatalog } from './catalog.ts'
import { openDelivery } from './delivery-entry.ts'
import { handlerTimedOut } from './errors.ts'
import { defineEvent, type StoredEvent } from './event.ts'
import { holdDeliveries, releaseDeliveries, type Switch } from './holds.ts'
import type { RunUnit } from './run-unit.ts'
import { subscriptionsOf, type Subscription } from './subscriptions.ts'
import { WhileAsked } from '../while-asked.ts'

/** A subscriber failed so often that its event was put aside; later events of that record wait behind it, as a rule. */
export const DeliveryDied = defineEvent('core.delivery.died', {
  version: 1,
  payload: z.object({
    subscription: z.string(),
    event: z.uuid(),
    name: z.string(),
    record: z.uuid(),
    attempts: z.int(),
    error: z.string(),
  }),
})

export interface DeliveriesOptions {
  readonly database: Database
  readonly signals: Signals
  readonly clock: Clock
  readonly log: Logger
  readonly runUnit: RunUnit
  /** Hears how handlers end; nobody when absent. */
  readonly faults?: FaultSink
  /** Handlers at the same time; an embedded database runs them one after the other anyway. */
  readonly concurrency?: number
  readonly pollMilliseconds?: number
  readonly timeoutMilliseconds?: number
}

/** What one subscriber has to hear in one workspace. */
interface Queue {
  /** As its plugin declares it now. */
  subscription: Subscription
  readonly workspace: string
  handling: number
  handled: number
  /** Several that came together were undone: so many are handled one by one before any come together again. */
  apart: number
  /** Somebody looked while a delivery was being handled and found the rest blocked by it: look again afterwards. */
  lookAgain: boolean
}

interface Taken extends StoredEvent {
  readonly seq: number
  readonly attempts: number
}

/** What a look into a queue found: what to handle, and whether more is due beside what is being handled. */
interface Look {
  readonly taken: readonly Taken[]
  readonly more: boolean
}

const drainMilliseconds = 10_000
// A thousand commits a second ask for a thousand searches; the first is at once, the rest share one every so often.
const searchGapMilliseconds = 2

/**
 * Brings events to their subscribers: at least once to the handler, once in what it writes, and per record in the order
 * the events were committed.
 *
 * A delivery is taken, handled and deleted in one transaction, so a process that dies in the middle has done nothing,
 * and another takes the same delivery again. Only a record's oldest delivery may be taken, and its row is locked while
 * it is handled; that alone keeps the order among any number of processes.
 */
export class Deliveries implements PluginHolder {
  readonly #options: Required<Omit<DeliveriesOptions, 'faults'>> & Pick<DeliveriesOptions, 'faults'>
  /** Of this process's plugins. What others hear is left to processes that have them. */
  #subscriptions: ReadonlyMap<string, Subscription> = new Map()
  #catalog = new EventCatalog()
  readonly #queues = new Map<string, Queue>()
  /** Queues that want a worker, the longest waiting first: a long backlog does not starve the others. */
  readonly #ready = new Set<Queue>()
  readonly #workers = new Set<Promise<void>>()
  #working = 0
  readonly #ending = new AbortController()
  // A signal is heard in the middle of whatever sent it; work must not inherit that unit of work.
  readonly #outside = AsyncLocalStorage.snapshot()
  /** Deliveries of this process from their taking until a failure is counted: in between they are rolled back and free. */
  readonly #inHand = new Set<number>()
  readonly #searching = new WhileAsked(() => this.#searchOnce())
  #polling: NodeJS.Timeout | undefined
  #unhear: (() => void) | undefined
  #attempts = 0
  #stopping = false

  constructor(options: DeliveriesOptions) {
    this.#options = {
      concurrency: options.database.kind === 'pglite' ? 1 : 8,
      pollMilliseconds: 2_000,
      timeoutMilliseconds: 30_000,
      ...options,
    }
  }

  prepare({ plugins, events }: Pick<PluginSet, 'plugins' | 'events'>): () => void {
    const subscriptions = new Map(subscriptionsOf(plugins).map((subscription) => [subscription.id, subscription]))
    return () => {
      this.#subscriptions = subscriptions
      this.#catalog = events
    }
  }

  start(): void {
    const wake = () => this.#outside(() => void this.#search())
    this.#unhear = this.#options.signals.on(({ kind }) => {
      if (kind === 'deliveries' || kind === 'plugins') wake()
    })
    this.#polling = setInterval(wake, this.#options.pollMilliseconds)
    wake()
  }

  /** Takes nothing more and waits for the handlers that run; after 10 s they are told to stop. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#unhear?.()
    clearInterval(this.#polling)
    const patience = setTimeout(() => this.#ending.abort(), drainMilliseconds)
    await this.#searching.going
    await Promise.all(this.#workers)
    clearTimeout(patience)
  }

  /** Delivers all that is due by the clock, also what the handlers tell meanwhile. */
  async runUntilIdle(): Promise<void> {
    for (;;) {
      const before = this.#attempts
      await this.#outside(() => this.#search())
      while (this.#workers.size > 0) await Promise.all(this.#workers)
      if (this.#attempts === before) return
    }
  }

  /** Call after a plugin was disabled; see `holdDeliveries` to do it with the switch itself. */
  async hold(where: Switch): Promise<void> {
    await this.#options.database.owner.transaction().execute((tx) => holdDeliveries(tx, where))
  }

  /** Call after a plugin was enabled. */
  async release(where: Switch): Promise<void> {
    await this.#options.database.owner.transaction().execute((tx) => releaseDeliveries(tx, where))
    this.#options.signals.send({ kind: 'deliveries' })
  }

  /** Finds queues with something due; a call during a search makes it search once more. */
  #search(): Promise<void> {
    return this.#searching.ask()
  }

  async #searchOnce(): Promise<void> {
    if (this.#stopping) return
    try {
      await this.#findQueues()
      if (this.#searching.isAsked) await pause(searchGapMilliseconds)
    } catch (error) {
      // The poll tries again; a database that is away for a moment must not end the process.
      this.#options.log.error({ err: error }, 'deliveries could not be looked for')
    }
  }

  async #findQueues(): Promise<void> {
    for (const { state, enabled, due, subscription, workspace, plugin } of await queuesWithDeliveries(
      this.#options.database.owner,
      [...this.#inHand],
    )) {
      if (state === 'waiting' && !enabled) await this.hold({ workspace, plugin })
      if (state === 'held' && enabled) {
        // A process died between the switch and the release.
        await this.release({ workspace, plugin })
        void this.#search()
      }
      const ours = this.#subscriptions.get(subscription)
      if (ours && state === 'waiting' && enabled && Date.parse(due) <= this.#now()) {
        this.#want(this.#queue(ours, workspace))
      }
    }
  }

  #queue(subscription: Subscription, workspace: string): Queue {
    const key = `${subscription.id} ${workspace}`
    let queue = this.#queues.get(key)
    if (!queue) {
      queue = { subscription, workspace, handling: 0, handled: 0, apart: 0, lookAgain: false }
      this.#queues.set(key, queue)
    }
    queue.subscription = subscription
    return queue
  }

  #want(queue: Queue): void {
    if (this.#stopping) return
    this.#ready.add(queue)
    if (this.#working >= this.#options.concurrency) return
    this.#working += 1
    const worker = this.#outside(() => this.#work()).finally(() => this.#workers.delete(worker))
    this.#workers.add(worker)
  }

  async #work(): Promise<void> {
    try {
      // What is wanted meanwhile joins the end of the set, and the loop.
      for (const queue of this.#ready) {
        if (this.#stopping) return
        this.#ready.delete(queue)
        await this.#deliverNext(queue)
      }
    } finally {
      // In the same breath as the loop's end, so that no queue can come to wait for a worker that has left.
      this.#working -= 1
    }
  }

  async #deliverNext(queue: Queue): Promise<void> {
    const handledBefore = queue.handled
    let look: Look = { taken: [], more: false }
    queue.handling += 1
    try {
      await this.#handle(queue, (found) => {
        look = found
        if (found.taken.length === 0) return
        for (const { seq } of found.taken) this.#inHand.add(seq)
        this.#attempts += 1
        // One worker more for a queue that has more: a backlog gets them all, a single event only one.
        if (found.more) this.#want(queue)
      })
      queue.apart = Math.max(0, queue.apart - look.taken.length)
      if (look.taken.length > 0)
        this.#options.faults?.worked({ workspace: queue.workspace, plugin: queue.subscription.plugin })
    } catch (error) {
      await this.#fail(queue, look.taken, error)
    }
    queue.handling -= 1
    if (look.taken.length > 0) {
      for (const { seq } of look.taken) this.#inHand.delete(seq)
      queue.handled += 1
      if (queue.lookAgain) this.#want(queue)
      queue.lookAgain = false
    } else if (look.more) {
      // What is due waits for an earlier event of its record: look again when that is handled, or if it was just now.
      if (queue.handled > handledBefore) this.#want(queue)
      else queue.lookAgain = queue.handling > 0
    }
  }

  async #handle(queue: Queue, onLook: (look: Look) => void): Promise<void> {
    const { subscription, workspace } = queue
    const { runUnit, timeoutMilliseconds } = this.#options
    const catalog = this.#catalog
    const unit = {
      workspace,
      plugin: subscription.plugin,
      cause: { origin: `event:${subscription.event}` },
      signal: this.#ending.signal,
      limit: {
        seconds: timeoutMilliseconds / 1_000,
        late: ({ seconds }: { seconds: number }) => handlerTimedOut({ subscription: subscription.id, seconds }),
      },
    }
    await runUnit(unit, async (ctx) => {
      const now = new Date(this.#now()).toISOString()
      const look = await takeNext(ctx.sql, queue, { now, except: [...this.#inHand] })
      onLook(look)
      if (look.taken.length === 0) return
      // A subscriber that sleeps lets pass what is told meanwhile: it is no business of a world without its peer.
      if (subscription.when && !ctx.isAwake(subscription.when)) {
        const events = look.taken.map(({ id }) => id)
        await sql`select core.let_pass(${subscription.id}, ${events}::uuid[])`.execute(ctx.sql)
        return
      }
      const events = look.taken.map(({ seq: _seq, attempts: _attempts, ...stored }) =>
        catalog.received(subscription, stored),
      )
      await subscription.handle(events as never, ctx)
    })
  }

  /** Counts a failure and puts the next try off; the eighth puts the event aside and tells it. */
  async #fail(queue: Queue, all: readonly Taken[], error: unknown): Promise<void> {
    const { log, runUnit, signals } = this.#options
    const { subscription, workspace } = queue
    const [taken] = all
    if (isPluginGone(error)) {
      // That its plugin was switched off or replaced is not the handler's fault: what it was at is held, or for the version that runs now.
      queue.subscription = this.#subscriptions.get(subscription.id) ?? subscription
      if (taken) this.#want(queue)
      return
    }
    if (!taken) {
      log.error({ err: error, subscription: subscription.id, workspace }, 'a delivery could not be taken')
      return
    }
    // Nor is an ordered stop: the delivery is simply still there.
    if (this.#ending.signal.aborted) return
    if (isCollision(error)) {
      this.#want(queue)
      return
    }
    if (all.length > 1) {
      // Whose fault it is shows when each comes alone.
      log.warn(
        { err: error, subscription: subscription.id, workspace, events: all.length },
        'a subscriber failed at many',
      )
      queue.apart = Math.max(queue.apart, all.length)
      this.#want(queue)
      return
    }
    // One event that cannot be handled comes eight times, and is one failure.
    const again = taken.attempts > 0
    this.#options.faults?.failed({ kind: 'delivery', error, workspace, plugin: subscription.plugin, again })
    const attempts = taken.attempts + 1
    const dead = attempts >= maxAttempts
    const goesOn = subscription.afterDeadLetter === 'continue'
    const fault = faultOf(error, subscription.root)
    log.warn(
      { err: error, subscription: subscription.id, workspace, event: taken.id, attempts, dead },
      'a subscriber failed',
    )
    try {
      await runUnit({ workspace, plugin: 'core', cause: { origin: 'system' } }, async (ctx) => {
        const due = dead ? 'infinity' : new Date(this.#now() + backOff(attempts)).toISOString()
        const state = dead ? (goesOn ? 'aside' : 'dead') : 'waiting'
        const counted = await putOff(ctx.sql, queue, taken, { due, state, error: fault })
        // Nobody is told about a subscriber that fails to hear that subscribers fail.
        if (counted && dead && taken.name !== DeliveryDied.name) tellDeath(ctx, subscription, taken, attempts, fault)
      })
      if (dead) signals.send({ kind: 'records', workspace, changes: [openDelivery(taken.id)] })
      if (dead && goesOn) this.#want(queue)
    } catch (failure) {
      // The delivery stays due; the poll finds it again.
      log.error({ err: failure, subscription: subscription.id, workspace }, 'a failure could not be counted')
    }
  }

  #now(): number {
    return this.#options.clock.now().getTime()
  }
}

function tellDeath(ctx: Context, subscription: Subscription, taken: Taken, attempts: number, error: string): void {
  const { id: event, name, key } = taken
  const payload = { subscription: subscription.id, event, name, record: key, attempts, error }
  ctx.emit(DeliveryDied, payload, { key })
}

/**
 * What is kept of a failure where people look at deliveries, who may read nothing of the records: of a refusal its code and its
 * sentence without the values it quotes, of anything else its class, and where in the plugin's code it was. The log has all of
 * it, by the event's id.
 */
function faultOf(error: unknown, root: URL | undefined): string {
  const place = placeOf(error, root)
  return place === undefined ? kindOf(error) : `${kindOf(error)} at ${place}`
}

function kindOf(error: unknown): string {
  if (error instanceof SocleError) return `${error.code}: ${detailOf(error)}`
  if (isDatabaseError(error)) return `DATABASE ${error.code}${error.constraint ? ` ${error.constraint}` : ''}`
  return error instanceof Error ? error.name : 'Error'
}

interface FoundQueue {
  readonly state: 'waiting' | 'held'
  readonly subscription: string
  readonly workspace: string
  readonly plugin: string
  readonly enabled: boolean
  /** Instant of the earliest due delivery. */
  readonly due: string
}

async function queuesWithDeliveries(owner: Sql, except: readonly number[]): Promise<readonly FoundQueue[]> {
  const { rows } = await sql<FoundQueue>`
    select q.state, q.subscription, q.workspace, q.due, s.plugin,
      s.plugin = 'core' or coalesce(p.state = 'enabled', false) as enabled
    from core.delivery_queues(${except}::bigint[]) q
    join core.subscription s on s.id = q.subscription
    left join core.plugin_workspace p on p.workspace = q.workspace and p.plugin = s.plugin`.execute(owner)
  return rows
}

/** Takes a queue's oldest due deliveries that have none of their record before them; with the unit's commit they are done. */
async function takeNext(
  tx: Sql,
  { subscription, workspace, apart }: Queue,
  { now, except }: { now: string; except: readonly number[] },
): Promise<Look> {
  const { id, plugin, together } = subscription
  const { rows } = await sql<Taken & { more: boolean | null; seq: number | null; changeSet: string | null }>`
    select seq, attempts, more, (event).id, (event).name, (event).version, (event).key, (event).payload,
      (event).change_set as "changeSet", (event).at
    from core.take_deliveries(${id}, ${plugin}, ${workspace}::uuid, ${now}::timestamptz, ${except}::bigint[],
      ${apart > 0 ? 1 : together}::integer)`.execute(tx)
  const taken = rows.flatMap(({ more: _more, changeSet, ...row }): Taken[] =>
    row.seq === null ? [] : [changeSet === null ? row : { ...row, changeSet }],
  )
  return { taken, more: rows.at(-1)?.more === true }
}

/** @returns false when another process has handled or counted it meanwhile */
async function putOff(
  tx: Sql,
  queue: Queue,
  { key, seq, attempts }: Taken,
  { due, state, error }: { due: string; state: 'waiting' | 'dead' | 'aside'; error: string },
): Promise<boolean> {
  const { rows } = await sql`
    with failed as (
      update core.delivery set attempts = attempts + 1, last_error = ${error}, due_at = ${due}::timestamptz,
        state = case when ${state} = 'waiting' then state else ${state} end
      where subscription = ${queue.subscription.id} and workspace = ${queue.workspace}::uuid and key = ${key}::uuid
        and seq = ${seq}::bigint and attempts = ${attempts}::integer and state in ('waiting', 'held')
      returning subscription, workspace, key, seq),
    behind as (
      update core.delivery d set due_at = ${due}::timestamptz from failed f
      where d.subscription = f.subscription and d.workspace = f.workspace and d.key = f.key and d.seq > f.seq
        and d.due_at < ${due}::timestamptz and ${state} <> 'aside')
    select 1 from failed`.execute(tx)
  return rows.length > 0
}
