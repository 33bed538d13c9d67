import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from '../../ui/parse.ts'
import { setShell } from '../../ui/session.ts'
import { movedBy, shownBetween } from '../../ui/zone-time.ts'
import { shellOf } from './factories.ts'

const hour = 3_600_000
beforeAll(() => setShell(shellOf('fr')))
afterAll(() => setShell(undefined))

// Paris: clocks go from 2 to 3 on 29 March 2026, from 3 back to 2 on 25 October.
test('what is moved over a change of clocks stands where it is put', () => {
  const noon = '2026-03-28T11:00:00.000Z'
  expect(movedBy(noon, 24 * hour)).toBe('2026-03-29T10:00:00.000Z')
  expect(movedBy(noon, 23 * hour)).toBe('2026-03-29T09:00:00.000Z')
  expect(movedBy(noon, 25 * hour)).toBe('2026-03-29T11:00:00.000Z')
  expect(shownBetween(noon, '2026-03-29T11:00:00.000Z')).toBe(25 * hour)
  expect(movedBy('2026-03-28', -24 * hour)).toBe('2026-03-27')
  expect(shownBetween('2026-03-28', '2026-04-01')).toBe(4 * 24 * hour)
})

test('a time that clocks show twice is the first, one they skip is the one after', () => {
  expect(parse.instant('25/10/2026 2:30')).toBe('2026-10-25T00:30:00.000Z')
  expect(parse.instant('29/3/2026 2:30')).toBe('2026-03-29T01:30:00.000Z')
})
