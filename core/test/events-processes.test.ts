import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { serverDatabase } from '../src/database/database.ts'
import { Bench, openBench, probePlugin, PieceMoved, writeDown } from './events-fixture.ts'

// Rows locked by several connections exist on a server only.
describe.runIf(process.env['TEST_DATABASE_URL'])('events among processes', () => {
  let bench: Bench
  let url: string
  let close: () => Promise<void>
  const children = new Set<ChildProcess>()

  beforeAll(async () => {
    ;({ bench, url, close } = await openBench('postgres', systemClock))
    await bench.switchPlugin('enabled')
    await bench.deliveries([probePlugin()])
  })
  afterEach(async () => {
    await Promise.all([...children].map((child) => kill(child)))
  })
  afterAll(() => close())

  async function child(role: 'deliver', death: string): Promise<ChildProcess> {
    const started = fork(join(import.meta.dirname, 'events-process.ts'), [role, url, bench.workspace, death], {
      execArgv: ['--conditions=socle-source'],
    })
    children.add(started)
    await once(started, 'message')
    return started
  }

  async function kill(child: ChildProcess): Promise<void> {
    children.delete(child)
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async function delivered(): Promise<void> {
    while ((await bench.waiting()).length > 0) await pause(50)
  }

  /** Steps told about a key, in commit order, and those heard, in the order they were heard. */
  async function toldAndHeard(key: string): Promise<{ told: string[]; heard: string[] }> {
    const told = await sql<{ id: string }>`select id from core.event where key = ${key}::uuid order by seq`.execute(
      bench.database.owner,
    )
    const heard = await sql<{
      event: string
    }>`select event from public.heard where key = ${key}::uuid order by seq`.execute(bench.database.owner)
    return { told: told.rows.map(({ id }) => id), heard: heard.rows.map(({ event }) => event) }
  }

  test('many writers and three deliverers keep the commit order of every record', { timeout: 60_000 }, async () => {
    const keys = Array.from({ length: 6 }, () => randomUUID())
    const benches = await Promise.all(
      [1, 2, 3].map(async () => new Bench(await serverDatabase(url), systemClock, bench.workspace)),
    )
    const plugin = probePlugin(async (event, ctx) => {
      await pause(Math.random() * 4)
      await writeDown(event, ctx)
    })
    const deliverers = await Promise.all(benches.map((each) => each.deliveries([plugin], { pollMilliseconds: 50 })))
    for (const [at, deliverer] of deliverers.entries()) {
      await benches[at]?.signals.start()
      deliverer.start()
    }
    // Each unit counts on from what the record says, under the record's own lock: commit order is the order of steps.
    await sql`create table if not exists public.counter (key uuid primary key, step integer not null default 0)`.execute(
      bench.database.owner,
    )
    await sql`grant all on public.counter to socle_app`.execute(bench.database.owner)
    for (const key of keys)
      await sql`insert into public.counter (key) values (${key}::uuid)`.execute(bench.database.owner)
    const writer = async () => {
      for (let nth = 0; nth < 20; nth += 1) {
        const key = keys[Math.floor(Math.random() * keys.length)] ?? ''
        await bench.runUnit(
          { workspace: bench.workspace, plugin: 'probe', cause: { origin: 'system' } },
          async (ctx) => {
            const { rows } = await sql<{
              step: number
            }>`update public.counter set step = step + 1 where key = ${key}::uuid returning step`.execute(ctx.sql)
            await pause(Math.random() * 3)
            ctx.emit(PieceMoved, { step: rows[0]?.step ?? 0 }, { key })
          },
        )
      }
    }
    await Promise.all(Array.from({ length: 10 }, writer))
    await delivered()
    await Promise.all(deliverers.map((deliverer) => deliverer.stop()))
    let total = 0
    for (const key of keys) {
      const steps = await bench.heard(key)
      expect(steps).toEqual(steps.map((_, at) => at + 1))
      total += steps.length
    }
    expect(total).toBe(200)
    await Promise.all(benches.map((each) => each.close()))
  })

  test(
    'units that tell about one record without locking it are still heard in the order they committed',
    { timeout: 60_000 },
    async () => {
      const key = randomUUID()
      const committed: string[] = []
      const deliverers = await Promise.all(
        [bench, bench, bench].map((each) => each.deliveries([probePlugin()], { pollMilliseconds: 50 })),
      )
      for (const deliverer of deliverers) deliverer.start()
      const telling = async (nth: number) => {
        const id = randomUUID()
        await bench.runUnit(
          { workspace: bench.workspace, plugin: 'probe', cause: { origin: 'system' } },
          async (ctx) => {
            await sql`select 1`.execute(ctx.sql)
            await pause(Math.random() * 5)
            ctx.emit(PieceMoved, { step: nth, writer: id }, { key })
          },
        )
        committed.push(id)
      }
      await Promise.all(Array.from({ length: 80 }, (_, nth) => telling(nth)))
      await delivered()
      await Promise.all(deliverers.map((deliverer) => deliverer.stop()))
      const { told, heard } = await toldAndHeard(key)
      expect(told).toHaveLength(80)
      expect(heard).toEqual(told)
    },
  )

  test(
    'an event committed by a process that died at once is delivered by the next one',
    { timeout: 60_000 },
    async () => {
      const key = randomUUID()
      await bench.tell(key, 1)
      const busy = await child('deliver', 'handling:1')
      await once(busy, 'message')
      await kill(busy)
      expect(await bench.heard(key)).toEqual([])
      await child('deliver', 'nowhere:1')
      await delivered()
      expect(await bench.heard(key)).toEqual([1])
    },
  )
})
