import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Bench, Place } from './events-fixture.ts'
import { probePlugin } from './events-fixture.ts'

/** A step that somebody said it has committed. */
interface Told {
  readonly key: string
  readonly step: number
  readonly writer: string
}

/** What went wrong with the events of one round: all but the first two must be 0. */
export interface Verdict {
  readonly told: number
  readonly heard: number
  /** Committed and never heard, or said to be committed and not there. */
  readonly lost: number
  /** Heard and never committed. */
  readonly phantom: number
  readonly double: number
  /** Heard before one of the same record that was committed earlier. */
  readonly reversed: number
}

/** A process that tells or delivers until it is killed, and what it said before. */
class Victim {
  readonly #process: ChildProcess
  readonly told: Told[] = []
  readonly #said = new Set<string>()

  /** @param death - `<place>:<nth pass>`, where it stops and waits to be killed */
  constructor(url: string, workspace: string, role: 'deliver' | 'tell', death: string, keys: readonly string[]) {
    this.#process = fork(
      join(import.meta.dirname, 'events-process.ts'),
      [role, url, workspace, death, ...keys],
      // One whose connections are cut ends with a fault of its own, which is the point.
      { execArgv: ['--conditions=socle-source'], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
    )
    this.#process.on('message', (message) => {
      if (typeof message !== 'object') return
      for (const word of Object.keys(message)) this.#said.add(word)
      if ('told' in message && 'step' in message)
        this.told.push({ key: String(message.told), step: Number(message.step), writer: String(this.#process.pid) })
    })
  }

  /** Waits until it has said something of a kind, or has ended. */
  async says(word: 'at' | 'handling'): Promise<void> {
    while (!this.#said.has(word) && !this.#ended) await pause(2)
  }

  /** Waits until it has told some, so that there is something to lose, or has ended. */
  async tells(): Promise<void> {
    while (this.told.length < 3 && !this.#ended) await pause(2)
  }

  async kill(): Promise<void> {
    if (this.#ended) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }

  get #ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }
}

/** Where processes are when they die. */
export interface KillPoint {
  readonly name: string
  readonly role: 'deliver' | 'tell' | 'both'
  /** Where its process stops and waits for it. */
  readonly place?: Place
  /** Waits for the moment. What is struck is killed afterwards, wherever it got to. */
  readonly strike: (round: Round) => Promise<void>
}

interface Round {
  readonly bench: Bench
  readonly victims: readonly Victim[]
}

const atPlace = async ({ victims }: Round): Promise<void> => {
  await Promise.all(victims.map((victim) => victim.says('at')))
}

const places: readonly (readonly [name: string, role: 'deliver' | 'tell', place: Place])[] = [
  ['teller, its record changed and nothing told', 'tell', 'worked'],
  ['teller, all told and not committed', 'tell', 'flushed'],
  ['teller, committed and nobody woken', 'tell', 'committed'],
  ['deliverer, with a delivery taken', 'deliver', 'taken'],
  ['deliverer, in the middle of its handler', 'deliver', 'handling'],
  ['deliverer, handled and not acknowledged', 'deliver', 'flushed'],
  ['deliverer, acknowledged', 'deliver', 'committed'],
]

/** The ten points of scenario platform-06. */
export const killPoints: readonly KillPoint[] = [
  ...places.map(([name, role, place]) => ({ name, role, place, strike: atPlace })),
  {
    // Its event is written, its deliveries are not: they wait for a table that somebody else holds.
    name: 'teller, in the middle of the fan-out',
    role: 'tell',
    async strike({ bench, victims: [teller] }) {
      await teller?.tells()
      await bench.database.owner.transaction().execute(async (tx) => {
        await sql`lock table core.delivery in share mode`.execute(tx)
        for (;;) {
          const { rows } = await sql`select from pg_locks l join pg_class c on c.oid = l.relation
            where c.relname = 'delivery' and not l.granted and l.database = (select oid from pg_database where datname = current_database())`.execute(
            tx,
          )
          if (rows.length > 0) break
          await pause(5)
        }
        await teller?.kill()
      })
    },
  },
  {
    name: 'teller and deliverer, at some moment',
    role: 'both',
    async strike({ victims: [deliverer, teller] }) {
      await Promise.all([deliverer?.says('handling'), teller?.tells()])
      await pause(Math.random() * 40)
    },
  },
  {
    // What a restart is to whoever is connected.
    name: 'database, with every connection at once',
    role: 'both',
    async strike({ bench, victims: [deliverer, teller] }) {
      await Promise.all([deliverer?.says('handling'), teller?.tells()])
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`.execute(bench.database.owner)
      await pause(50)
    },
  },
]

/** Lets processes work, has them die at a point, lets others take up what was left, and says what became of the events. */
export async function killRound(bench: Bench, url: string, point: KillPoint): Promise<Verdict> {
  const keys = Array.from({ length: 4 }, () => randomUUID())
  const roles = point.role === 'both' ? (['deliver', 'tell'] as const) : [point.role]
  const told: Told[] = []
  if (point.role === 'deliver') {
    for (let step = 1; step <= 5; step += 1)
      for (const key of keys) {
        await bench.tell(key, step)
        told.push({ key, step, writer: 'one' })
      }
  }
  const victims = roles.map((role) => new Victim(url, bench.workspace, role, `${point.place ?? 'nowhere'}:3`, keys))
  try {
    await point.strike({ bench, victims })
  } finally {
    await Promise.all(victims.map((victim) => victim.kill()))
  }
  // Whoever looks next takes up what was left.
  const survivor = await bench.deliveries([probePlugin()], { pollMilliseconds: 100 })
  survivor.start()
  while ((await bench.waiting()).length > 0) await pause(20)
  await survivor.stop()
  return judge(bench, keys, [...told, ...victims.flatMap((victim) => victim.told)])
}

async function judge(bench: Bench, keys: readonly string[], acknowledged: readonly Told[]): Promise<Verdict> {
  const { owner } = bench.database
  const committed = await sql<{ id: string; step: number; writer: string; key: string }>`
    select id, key, (payload->>'step')::integer as step, payload->>'writer' as writer from core.event
    where key = any(${keys}::uuid[]) order by seq`.execute(owner)
  const handled = await sql<{ event: string; key: string }>`
    select event, key from public.heard where key = any(${keys}::uuid[]) order by seq`.execute(owner)
  const place = new Map(committed.rows.map(({ id }, at) => [id, at]))
  const heard = handled.rows.map(({ event }) => event)
  const distinct = new Set(heard)
  const there = new Set(committed.rows.map(({ key, step, writer }) => `${key} ${step} ${writer}`))
  const furthest = new Map<string, number>()
  let reversed = 0
  for (const { event, key } of handled.rows) {
    const at = place.get(event) ?? -1
    if (at < (furthest.get(key) ?? -1)) reversed += 1
    furthest.set(key, Math.max(at, furthest.get(key) ?? -1))
  }
  return {
    told: committed.rows.length,
    heard: heard.length,
    lost:
      committed.rows.filter(({ id }) => !distinct.has(id)).length +
      acknowledged.filter(({ key, step, writer }) => !there.has(`${key} ${step} ${writer}`)).length,
    phantom: [...distinct].filter((event) => !place.has(event)).length,
    double: heard.length - distinct.size,
    reversed,
  }
}
