// A process of its own that delivers, or tells, until it is killed. See events-processes.test.ts.
import { serverDatabase } from '../src/database/database.ts'
import { systemClock } from '../src/clock.ts'
import { PieceMoved, Bench, probePlugin, writeDown } from './events-fixture.ts'

const [role, url, workspace, ...rest] = process.argv.slice(2) as [string, string, string, ...string[]]
const bench = new Bench(await serverDatabase(url), systemClock, workspace)
await bench.signals.start()
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

if (role === 'deliver') {
  const [slowness = '0'] = rest
  const plugin = probePlugin(async (event, ctx) => {
    await writeDown(event, ctx)
    process.send?.({ handling: event.id })
    await pause(Number(slowness) * Math.random())
  })
  const deliveries = await bench.deliveries([plugin], { pollMilliseconds: 100 })
  deliveries.start()
  process.send?.('ready')
} else {
  const keys = rest
  process.send?.('ready')
  for (let step = 1; ; step += 1) {
    for (const key of keys) {
      await bench.runUnit({ workspace, plugin: 'probe', cause: { origin: 'system' } }, async (ctx) => {
        ctx.emit(PieceMoved, { step, writer: String(process.pid) }, { key })
        // Sometimes the kill falls between the outbox and the commit, sometimes after.
        if (Math.random() < 0.2) await pause(3)
      })
      process.send?.({ told: key, step })
    }
  }
}
