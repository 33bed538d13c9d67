import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { format } from '../../ui/format.ts'
import { setShell } from '../../ui/session.ts'
import type { RecordJson } from '../../ui/types.ts'
import { fieldOf, shellOf } from './factories.ts'

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')
const record: RecordJson = { id: 'r1', version: 1, currency: 'USD' }
afterAll(() => setShell(undefined))

describe('in French', () => {
  beforeEach(() => setShell(shellOf('fr', { 'kit.format.now': 'à l’instant', 'kit.value.yes': 'Oui' })))

  test('amounts leave out empty cents, unless all digits are asked for', () => {
    expect(plain(format.money('40095.0000', 'EUR'))).toBe('40 095 €')
    expect(plain(format.money('40095.5000', 'EUR'))).toBe('40 095,50 €')
    expect(plain(format.money('40095.0000', 'EUR', 'full'))).toBe('40 095,00 €')
  })

  test('no coin is lost in an amount too large for a float', () => {
    expect(plain(format.money('90071992547409930.1200', 'EUR'))).toBe('90 071 992 547 409 930,12 €')
  })

  test('an amount is in its record’s currency, else in the workspace’s', () => {
    expect(plain(format.value(fieldOf('money', { currency: 'currency' }), '12', record))).toBe('12 $US')
    expect(plain(format.value(fieldOf('money', { currency: 'currency' }), '12', { id: 'r', version: 1 }))).toBe('12 €')
  })

  test('dates stay the day they are, instants are shown in the workspace’s zone', () => {
    expect(format.date('2026-03-03')).toBe('3 mars 2026')
    expect(format.instant('2026-03-03T23:30:00Z')).toContain('4 mars 2026')
    expect(format.time('2026-03-03T23:30:00Z')).toBe('00:30')
  })

  test('time that passed is told in words up to a week', () => {
    const now = new Date('2026-03-10T12:00:00Z')
    expect(format.relative('2026-03-10T11:59:40Z', now)).toBe('à l’instant')
    expect(plain(format.relative('2026-03-10T11:48:00Z', now))).toBe('il y a 12 min')
    expect(format.relative('2026-03-09T11:00:00Z', now)).toBe('hier')
    expect(format.relative('2026-03-01T11:00:00Z', now)).toBe('1 mars 2026')
  })

  test('percents are hundredths, empty is empty, unknown choices show their value', () => {
    expect(plain(format.percent(70))).toBe('70 %')
    expect(format.money('')).toBe('')
    expect(format.date(null)).toBe('')
    expect(format.value(fieldOf('boolean'), true)).toBe('Oui')
    expect(format.value(fieldOf('select', { options: [{ value: 'a', label: 'Un' }] }), 'a')).toBe('Un')
    expect(format.value(fieldOf('select', { options: [] }), 'gone')).toBe('gone')
  })

  test('a reference shows its record’s title, and nothing when it was not brought along', () => {
    const field = fieldOf('reference', { target: 'core.account' })
    expect(format.value(field, 'a1', record, { 'core.account': { a1: { id: 'a1', title: 'Valmy' } } })).toBe('Valmy')
    expect(format.value(field, 'a2', record, {})).toBe('')
  })
})

test('English dates are day first, as they are typed', () => {
  setShell(shellOf('en'))
  expect(format.date('2026-07-07')).toBe('7 Jul 2026')
  expect(format.money('40095', 'EUR')).toBe('€40,095')
})
