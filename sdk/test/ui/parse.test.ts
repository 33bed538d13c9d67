import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { format } from '../../ui/format.ts'
import { parse } from '../../ui/parse.ts'
import { setShell } from '../../ui/session.ts'
import { shellOf } from './factories.ts'

const today = '2026-02-18'
afterAll(() => setShell(undefined))

describe('a French reader', () => {
  beforeEach(() => setShell(shellOf('fr')))

  test.each([
    ['12 345,67', '12345.67'],
    ['12\u202f345,67', '12345.67'],
    ['12\u00a0345,6', '12345.6'],
    ['12345.67', '12345.67'],
    ['12.345,67', '12345.67'],
    ['12,345.67', '12345.67'],
    ['1.234.567', '1234567'],
    ['1,5', '1.5'],
    ['1,234', '1.234'],
    ['12k', '12000'],
    ['1,25 M', '1250000'],
    ['−7', '-7'],
    ['0012', '12'],
    [',5', '0.5'],
    ['', ''],
  ])('writes the number %s and it is read as %s', (text, value) => {
    expect(parse.number(text)).toBe(value)
  })

  test.each(['douze', '1,2,3', '1.2.3', '12 €', '--5', '.', '1,234.5,6'])('is told that %s is not a number', (text) => {
    expect(parse.number(text)).toBeUndefined()
  })

  test.each([
    ['1 250 €', '1250'],
    ['€1,250.50', '1250.50'],
    ['EUR 1250', '1250'],
    ['1250 eur', '1250'],
  ])('may write the currency with the amount: %s', (text, value) => {
    expect(parse.money(text)).toBe(value)
  })

  test.each([
    ['31/3', '2026-03-31'],
    ['31/03/26', '2026-03-31'],
    ['31.3.2027', '2027-03-31'],
    ['31-3', '2026-03-31'],
    ['2026-03-31', '2026-03-31'],
    ['3/31', '2026-03-31'],
    ['5', '2026-02-05'],
    ['31 mars', '2026-03-31'],
    ['1er août 2027', '2027-08-01'],
    ['3 fév', '2026-02-03'],
    ['March 31, 2026', '2026-03-31'],
    ['aujourd’hui', '2026-02-18'],
    ['demain', '2026-02-19'],
    ['hier', '2026-02-17'],
    ['+12', '2026-03-02'],
    ['-1 j', '2026-02-17'],
    ['', ''],
  ])('writes the date %s and it is read as %s', (text, value) => {
    expect(parse.date(text, today)).toBe(value)
  })

  test.each(['30/2', '32/3', '31 jui', 'bientôt', '29/2/2026', '2026-13-01', '12 mars mars'])(
    'is told that %s is not a date',
    (text) => {
      expect(parse.date(text, today)).toBeUndefined()
    },
  )

  test('an instant is read in the workspace’s zone, in winter and in summer', () => {
    expect(parse.instant('31/1 14:30', today)).toBe('2026-01-31T13:30:00.000Z')
    expect(parse.instant('31/7 14h30', today)).toBe('2026-07-31T12:30:00.000Z')
    expect(parse.instant('demain à 9h', today)).toBe('2026-02-19T08:00:00.000Z')
    expect(parse.instant('31/7', today)).toBe('2026-07-30T22:00:00.000Z')
    expect(parse.instant('31/7 25:00', today)).toBeUndefined()
  })

  test('what is shown can be typed back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (cents) => {
        const amount = (cents / 100).toFixed(2)
        expect(Number(parse.money(format.money(amount, 'EUR', 'full')))).toBe(Number(amount))
      }),
    )
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1950-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
        (date) => {
          const day = date.toISOString().slice(0, 10)
          expect(parse.date(format.date(day))).toBe(day)
          expect(parse.date(format.date(day, 'short'))).toBe(day)
        },
      ),
    )
  })
})

describe('an English reader', () => {
  beforeEach(() => setShell(shellOf('en')))

  test.each([
    ['12,345', '12345'],
    ['12,5', '12.5'],
    ['12 345,6', '12345.6'],
    ['1,234,567.8', '1234567.8'],
  ])('writes the number %s and it is read as %s', (text, value) => {
    expect(parse.number(text)).toBe(value)
  })

  test('reads days before months, and French months too', () => {
    expect(parse.date('3/4', today)).toBe('2026-04-03')
    expect(parse.date('31 mars', today)).toBe('2026-03-31')
    expect(parse.date('tomorrow', today)).toBe('2026-02-19')
  })

  test('what is shown can be typed back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (cents) => {
        const amount = (cents / 100).toFixed(2)
        expect(Number(parse.money(format.money(amount, 'EUR', 'full')))).toBe(Number(amount))
      }),
    )
  })
})
