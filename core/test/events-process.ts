// A process of its own that delivers, or tells, until it is killed. See events-chaos.ts and events-processes.test.ts.
import { setTimeout as pause } from 'node:timers/promises'
import { serverDatabase } from '../src/database/database.ts'
import { systemClock } from '../src/clock.ts'
import { PieceMoved, Bench, probePlugin, writeDown, type Place } from './events-fixture.ts'

const [role, url, workspace, death, ...keys] = process.argv.slice(2) as [string, string, string, string, ...string[]]
const [deathPlace, nth] = death.split(':')
const bench = new Bench(await serverDatabase(url), systemClock, workspace)

let passes = 0
/** Says that it is where it is to die, and goes no further. */
bench.at = async (place: Place) => {
  if (place !== deathPlace || (passes += 1) < Number(nth)) return
  process.send?.({ at: place })
  await new Promise(() => {})
}
await bench.signals.start()

if (role === 'deliver') {
  const plugin = probePlugin(async (event, ctx) => {
    ctx.afterCommit(() => process.send?.({ handled: event.id }))
    await bench.at('taken')
    await writeDown(event, ctx)
    process.send?.({ handling: event.id })
    await bench.at('handling')
    await pause(8 * Math.random())
  })
  const deliveries = await bench.deliveries([plugin], { pollMilliseconds: 100 })
  deliveries.start()
  process.send?.('ready')
} else {
  process.send?.('ready')
  for (let step = 1; ; step += 1) {
    for (const key of keys) {
      await bench.runUnit({ workspace, plugin: 'probe', cause: { origin: 'system' } }, async (ctx) => {
        ctx.emit(PieceMoved, { step, writer: String(process.pid) }, { key })
      })
      process.send?.({ told: key, step })
    }
  }
}
