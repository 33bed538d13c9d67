import { Hono } from 'hono'
import { Duration } from 'luxon'
import { z } from 'zod'
import type { GivenClock } from '../given-clock.ts'
import { readJson } from './body.ts'
import { parsed } from './parsed.ts'

const order = z
  .strictObject({
    now: z.iso.datetime({ offset: true }).optional(),
    advance: z
      .string()
      .refine((text) => Duration.fromISO(text).isValid, { error: 'a duration of ISO 8601, such as PT30M or P1D' })
      .optional(),
    frozen: z.boolean().optional(),
  })
  .refine(({ now, advance }) => now === undefined || advance === undefined, { error: '"now" or "advance", not both' })

/**
 * `PUT /test/clock` of a platform under test: `{ "now": instant }` or `{ "advance": ISO duration }`, optional `"frozen"`.
 *
 * Nobody signs in for it: who is signed in is a question of the time.
 */
export function testClockRoute(clock: GivenClock): Hono {
  const app = new Hono()
  app.put('/test/clock', async (request) => {
    const { now, ...rest } = parsed(order, await readJson(request.req.raw))
    await clock.give({ ...rest, ...(now === undefined ? {} : { now: new Date(now) }) })
    return request.json({ data: { now: clock.now().toISOString(), frozen: clock.frozen } })
  })
  return app
}
