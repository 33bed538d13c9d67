import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../src/clock.ts'
import { recordEvents } from '../src/events/record-events.ts'
import { definePlugin, subscriber } from '../src/plugins/define-plugin.ts'
import { createTestApp, makeTestDatabase, type TestWorkspace } from '../src/testing/index.ts'
import { openBench, probePlugin, writeDown } from '../test/events-fixture.ts'
import { percentile } from './load.ts'

/** What events cost and how fast they come, section 7 of platform.md: lines of a table. */
export async function eventFigures(): Promise<readonly string[]> {
  return ['| figure | goal | measured |', '| --- | --- | --- |', ...(await emitFigure()), ...(await deliveryFigures())]
}

const writes = 400

/** The same write in two companies, one of which has a plugin that hears of it three times; in turn, one after the other. */
async function emitFigure(): Promise<readonly string[]> {
  const database = await makeTestDatabase()
  try {
    const [created] = recordEvents('core.product')
    if (!created) throw new Error('A product tells nothing of its making.')
    const listening = definePlugin({
      id: 'listening',
      version: '1.0.0',
      platform: '^1.0.0',
      title: { en: 'Listening', fr: 'À l’écoute' },
      subscribers: ['first', 'second', 'third'].map((id) => subscriber(id, created, async () => {})),
    })
    await using app = await createTestApp({ database, plugins: [listening], enable: [] })
    const heard = await app.secondWorkspace()
    await heard.admin.post('/api/core/plugins/listening/enable')
    const times = { without: [] as number[], with: [] as number[] }
    const write = async ({ admin }: TestWorkspace, nth: number): Promise<number> => {
      const started = performance.now()
      const { status } = await admin.post('/api/core/products', { name: `Product ${nth}`, sku: `SKU-${nth}` })
      if (status !== 201) throw new Error(`A product was answered with ${status}.`)
      return performance.now() - started
    }
    for (let nth = 0; nth < writes; nth += 1) {
      const sides = [['without', app] as const, ['with', heard] as const]
      for (const [side, workspace] of nth % 2 === 0 ? sides : sides.toReversed()) {
        const took = await write(workspace, nth)
        // The first quarter warms both.
        if (nth >= writes / 4) times[side].push(took)
      }
    }
    const [p50, mean] = [ratio(times, (of) => percentile(of, 0.5)), ratio(times, average)]
    return [
      `| emit with 3 subscribers, times the same write without: p50, mean | ≤ 2 × | ${p50} ×, ${mean} × (p50 ${percentile(times.with, 0.5).toFixed(2)} / ${percentile(times.without, 0.5).toFixed(2)} ms) |`,
    ]
  } finally {
    await database.drop()
  }
}

const backlog = 3_000
const records = 200
/** Events told while they are delivered, and the pause between two of them, milliseconds. */
const [flowing, gap] = [1_000, 4]

/** A backlog delivered in the order of each record, and the time from telling to handler while events flow. */
async function deliveryFigures(): Promise<readonly string[]> {
  const { bench, close } = await openBench('postgres', systemClock)
  try {
    await bench.switchPlugin('enabled')
    const told = new Map<string, number>()
    const waited: number[] = []
    const plugin = probePlugin(async (event, ctx) => {
      const at = told.get(`${event.key} ${event.payload.step}`)
      if (at !== undefined) waited.push(performance.now() - at)
      await writeDown(event, ctx)
    })
    const deliveries = await bench.deliveries([plugin])
    const keys = Array.from({ length: records }, () => randomUUID())
    const keyOf = (nth: number) => keys[nth % records] ?? ''
    for (let nth = 0; nth < backlog; nth += 1) await bench.tell(keyOf(nth), Math.floor(nth / records))
    const started = performance.now()
    await deliveries.runUntilIdle()
    const perSecond = backlog / ((performance.now() - started) / 1_000)
    let reversed = 0
    for (const key of keys) {
      const steps = await bench.heard(key)
      reversed += steps.filter((step, at) => step !== at).length
    }
    deliveries.start()
    for (let nth = 0; nth < flowing; nth += 1) {
      const step = backlog / records + Math.floor(nth / records)
      told.set(`${keyOf(nth)} ${step}`, performance.now())
      await bench.tell(keyOf(nth), step)
      await pause(gap)
    }
    while ((await bench.waiting()).length > 0) await pause(10)
    await deliveries.stop()
    const [p50, p95] = [0.5, 0.95].map((share) => percentile(waited, share).toFixed(1))
    return [
      `| ordered delivery of a backlog, events/s (out of order: ${reversed}) | ≥ 500 | ${Math.round(perSecond)} |`,
      `| event to handler while events flow, its commit included, p50 / p95, ms | p95 ≤ 300 | ${p50} / ${p95} |`,
    ]
  } finally {
    await close()
  }
}

const average = (values: readonly number[]) => values.reduce((sum, it) => sum + it, 0) / values.length

function ratio(
  times: Readonly<Record<'with' | 'without', readonly number[]>>,
  of: (values: readonly number[]) => number,
): string {
  return (of(times.with) / of(times.without)).toFixed(2)
}
