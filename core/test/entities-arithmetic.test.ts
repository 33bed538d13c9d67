import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { getCountries } from 'libphonenumber-js'
import { describe, expect, test } from 'vitest'
import { domainOf, isSiren, isSiret, isVatNumber, vatNumberOf } from '../src/entities/identifiers.ts'
import { countryOfZone, phoneNorm } from '../src/entities/phones.ts'
import { lineNet, totalsOf } from '../src/entities/totals.ts'

describe('identifiers', () => {
  test('a SIREN is nine digits with a right checksum', () => {
    expect(['552100554', '732829320', '303265045'].map(isSiren)).toEqual([true, true, true])
    expect(['552100555', '55210055', '5521005540', '000000000', 'ABCDEFGHI'].map(isSiren)).toEqual(Array(5).fill(false))
  })

  test('one wrong digit, or two neighbours swapped but 0 and 9, never pass as a SIREN', () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(digits, fc.nat({ max: 8 }), fc.integer({ min: 1, max: 9 }), (body, at, shift) => {
        const right = Array.from({ length: 10 }, (_, check) => [...body, check]).find((it) => isSiren(it.join('')))
        if (!right) return
        const wrong = right.with(at, ((right[at] ?? 0) + shift) % 10)
        expect(isSiren(wrong.join(''))).toBe(false)
        const [left = 0, next = 0] = [right[at], right[at + 1]]
        if (at === 8 || left === next || left + next === 9) return
        expect(
          isSiren(
            right
              .with(at, next)
              .with(at + 1, left)
              .join(''),
          ),
        ).toBe(false)
      }),
    )
  })

  test('a SIRET begins with a SIREN and has a checksum of its own; La Poste counts otherwise', () => {
    expect(isSiret('73282932000074')).toBe(true)
    expect(isSiret('73282932000075')).toBe(false)
    // Of its establishments those beyond Luhn's room only add up to a multiple of five.
    expect(isSiret('35600000009075')).toBe(true)
    expect(isSiret('35600000009076')).toBe(false)
  })

  test('a French VAT number carries a key over its SIREN, another country’s its shape', () => {
    expect(vatNumberOf('303265045')).toBe('FR40303265045')
    expect(isVatNumber('FR40303265045')).toBe(true)
    expect(isVatNumber('FR41303265045')).toBe(false)
    expect(isVatNumber('FRAB303265045')).toBe(true)
    expect(isVatNumber('BE0403170701')).toBe(true)
    expect(isVatNumber('40303265045')).toBe(false)
  })

  test('a domain is what stands between protocol and path, less www', () => {
    expect(domainOf('https://www.Example.fr/shop?x=1')).toBe('example.fr')
    expect(domainOf('example.fr')).toBe('example.fr')
    expect(domainOf('localhost')).toBeUndefined()
  })
})

describe('phones', () => {
  test('a number is the same however it is typed', () => {
    const typed = [
      '01 42 68 53 00',
      '01.42.68.53.00',
      '+33 1 42 68 53 00',
      '0033 1 42 68 53 00',
      '+33 (0)1 42 68 53 00',
    ]
    expect(new Set(typed.map((it) => phoneNorm(it, 'FR')))).toEqual(new Set(['+33142685300']))
  })

  test('what cannot be a number has no norm', () => {
    expect([phoneNorm('standard', 'FR'), phoneNorm('12', 'FR'), phoneNorm('0142685300', undefined)]).toEqual(
      Array(3).fill(undefined),
    )
  })

  test('a workspace’s zone tells the country numbers are dialled in', () => {
    expect([countryOfZone('Europe/Paris'), countryOfZone('Europe/Zurich'), countryOfZone('UTC')]).toEqual([
      'FR',
      'CH',
      undefined,
    ])
    const known = getCountries().flatMap((country) => {
      const locale = new Intl.Locale('und', { region: country }) as Intl.Locale & {
        getTimeZones(): string[] | undefined
      }
      return locale.getTimeZones() ?? []
    })
    expect(known.length).toBeGreaterThan(300)
    expect(known.filter((zone) => countryOfZone(zone) === undefined)).toEqual([])
  })
})

describe('totals', () => {
  test('the worked example of the quotes comes out to the cent', () => {
    const lines = [
      { quantity: '2', unitPrice: '149.90', discount: '10', taxRate: '20' },
      { quantity: '3', unitPrice: '33.33', discount: '0', taxRate: '10' },
      { quantity: '7', unitPrice: '4.55', discount: '0', taxRate: '5.5' },
    ].map((line) => ({ ...line, net: lineNet(line, 'EUR') }))
    expect(lines.map(({ net }) => net)).toEqual(['269.8200', '99.9900', '31.8500'])
    expect(totalsOf(lines, 'EUR')).toEqual({ net: '401.6600', tax: '65.7100', gross: '467.3700' })
  })

  test('tax is rounded once per rate, however the rate is written', () => {
    const line = { net: '0.9900', taxRate: '5.5' }
    expect(totalsOf([line, { ...line, taxRate: '5.50' }, line], 'EUR').tax).toBe('0.1600')
  })

  test('a half is rounded away from zero, for a credit too', () => {
    const half = { quantity: '1', unitPrice: '0.005', discount: '0', taxRate: '0' }
    expect(lineNet(half, 'EUR')).toBe('0.0100')
    expect(lineNet({ ...half, quantity: '-1' }, 'EUR')).toBe('-0.0100')
  })

  test('amounts have the digits of their currency', () => {
    const third = { quantity: '1', unitPrice: '0.3333', discount: '0', taxRate: '0' }
    expect([lineNet(third, 'JPY'), lineNet(third, 'EUR'), lineNet(third, 'TND')]).toEqual([
      '0.0000',
      '0.3300',
      '0.3330',
    ])
  })

  test('whatever the lines: net is their sum, gross is net and tax, and a credit note mirrors its invoice', () => {
    const line = fc.record({
      quantity: fc.integer({ min: -9_999, max: 99_999 }).map((it) => new Decimal(it).div(1000).toFixed(3)),
      unitPrice: fc.integer({ min: 0, max: 99_999_999 }).map((it) => new Decimal(it).div(10_000).toFixed(4)),
      discount: fc.integer({ min: 0, max: 10_000 }).map((it) => new Decimal(it).div(100).toFixed(2)),
      taxRate: fc.constantFrom('0', '2.1', '5.5', '10', '20'),
    })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.constantFrom('EUR', 'JPY', 'TND'), (lines, currency) => {
        const priced = lines.map((it) => ({ ...it, net: lineNet(it, currency) }))
        const { net, tax, gross } = totalsOf(priced, currency)
        expect(Decimal.sum(0, ...priced.map((it) => it.net)).toFixed(4)).toBe(net)
        expect(new Decimal(net).plus(tax).toFixed(4)).toBe(gross)
        const credit = lines.map((it) => ({ ...it, quantity: new Decimal(it.quantity).negated().toFixed(3) }))
        const back = totalsOf(
          credit.map((it) => ({ ...it, net: lineNet(it, currency) })),
          currency,
        )
        expect(new Decimal(back.gross).plus(gross).isZero()).toBe(true)
      }),
    )
  })
})
