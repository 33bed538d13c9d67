import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { killPoints, killRound } from './events-chaos.ts'
import { openBench, probePlugin, type Bench } from './events-fixture.ts'

// Each point once; `npm run chaos -- --repeat 20` has them twenty times each.
describe.runIf(process.env['TEST_DATABASE_URL'])('platform-06: nothing is lost, made up, doubled or reversed', () => {
  let bench: Bench
  let url: string
  let close: () => Promise<void>

  beforeAll(async () => {
    ;({ bench, url, close } = await openBench('postgres', systemClock))
    await bench.switchPlugin('enabled')
    await bench.deliveries([probePlugin()])
  })
  afterAll(() => close())

  test.each(killPoints)('where death meets the $name', { timeout: 60_000 }, async (point) => {
    const { told, heard, ...wrong } = await killRound(bench, url, point)
    expect(wrong).toEqual({ lost: 0, phantom: 0, double: 0, reversed: 0 })
    expect(heard).toBe(told)
    expect(told).toBeGreaterThan(1)
  })
})
