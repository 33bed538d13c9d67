import { describe, expect, test } from 'vitest'
import { absentRecord, evaluateExpression } from '../src/records/expression/index.ts'
import type { Environment, LoadedRecord } from '../src/records/expression/index.ts'
import { accounts, check, environment, marie } from './expression-world.ts'

const paul = '0190a6e2-7c4b-7d3e-9f10-00000000000b'

function judge(text: string, record: LoadedRecord, more: Partial<Environment> = {}): boolean {
  return evaluateExpression(check(text), record, { ...environment, ...more })
}

const blank: LoadedRecord = {
  id: '0190a6e2-7c4b-7d3e-9f10-b00000000001', name: '', state: null, amount: null, probability: null, quantity: null,
  urgent: null, closeDate: null, createdAt: null, extra: null, account: null, owner: null, deletedAt: null,
} // prettier-ignore

describe('an empty field', () => {
  test.each([
    'amount = 5',
    'amount != 5',
    'amount < 5',
    'amount >= 5',
    'amount in (5)',
    'name ~ "a"',
    'name != "a"',
    'name < "a"',
    'state != "won"',
    'urgent = false',
    'closeDate != today()',
    'closeDate within last 5 days',
    'createdAt != today()',
    'owner != me()',
    'account.name = "a"',
    'account.name != "a"',
    'account.parent.owner.name ~ "a"',
  ])('satisfies no comparison: %s fails, and its negation holds', (text) => {
    expect(judge(text, blank)).toBe(false)
    expect(judge(`not ${text}`, blank)).toBe(true)
  })

  test('is what "is empty" finds: nothing, a text without a character, a field behind a reference that leads nowhere', () => {
    for (const path of ['amount', 'name', 'extra', 'account', 'account.name', 'account.owner']) {
      expect(judge(`${path} is empty`, blank)).toBe(true)
      expect(judge(`${path} is not empty`, blank)).toBe(false)
    }
    expect(judge('name is empty', { ...blank, name: ' ' })).toBe(false)
  })

  test('weighs nothing in a sum, and a collection of none sums to 0', () => {
    const account = { opportunities: [{ amount: '0.1' }, { amount: null }, { amount: '0.2' }] }
    const exactly = check('sum(opportunities.amount) = 0.3', accounts)
    expect(evaluateExpression(exactly, account, environment)).toBe(true)
    expect(
      evaluateExpression(check('sum(opportunities.amount) = 0', accounts), { opportunities: [] }, environment),
    ).toBe(true)
  })
})

describe('texts', () => {
  test('"=" is exact, "~" and order know neither accents nor capitals', () => {
    const record = { ...blank, name: 'Société Œuvre' }
    expect(judge('name = "société œuvre"', record)).toBe(false)
    expect(judge('name ~ "SOCIETE" and name ~ "oeuv"', record)).toBe(true)
    expect(
      judge('name > "SOC" and name < "sod" and name >= "societe oeuvre" and name <= "societe oeuvre"', record),
    ).toBe(true)
  })

  test('"~" takes %, _ and \\ for what they are', () => {
    expect(judge('name ~ "5%"', { ...blank, name: '50 euros' })).toBe(false)
    expect(judge('name ~ "a_b"', { ...blank, name: 'axb' })).toBe(false)
    expect(judge('name ~ "\\\\"', { ...blank, name: 'a\\b' })).toBe(true)
  })
})

describe('numbers', () => {
  test('are compared to the last digit, however they are written', () => {
    expect(judge('amount = 12345678901234567.8901', { ...blank, amount: '12345678901234567.8901' })).toBe(true)
    expect(judge('amount = 12345678901234567.8901', { ...blank, amount: '12345678901234567.8902' })).toBe(false)
    expect(judge('amount = 1000', { ...blank, amount: '1000.0000' })).toBe(true)
  })
})

describe('time', () => {
  const closing = (closeDate: string) => ({ ...blank, closeDate })
  const created = (createdAt: string | Date) => ({ ...blank, createdAt })

  test('today is the day of the workspace, not of the server', () => {
    const now = new Date('2026-03-28T23:30:00Z')
    expect(judge('closeDate = today()', closing('2026-03-29'), { now })).toBe(true)
    expect(judge('closeDate = today()', closing('2026-03-28'), { now, zone: 'America/New_York' })).toBe(true)
  })

  test.each([
    ['last 90 days', '2025-12-29', '2026-03-29'],
    ['next 30 days', '2026-03-29', '2026-04-28'],
    ['last 1 month', '2026-02-28', '2026-03-29'],
    ['this month', '2026-03-01', '2026-03-31'],
    ['last month', '2026-02-01', '2026-02-28'],
    ['next month', '2026-04-01', '2026-04-30'],
    ['this week', '2026-03-23', '2026-03-29'],
    ['next week', '2026-03-30', '2026-04-05'],
    ['this quarter', '2026-01-01', '2026-03-31'],
    ['last quarter', '2025-10-01', '2025-12-31'],
    ['this year', '2026-01-01', '2026-12-31'],
    ['last day', '2026-03-28', '2026-03-28'],
  ])('within %s is from %s to %s, both included', (span, first, last) => {
    const shift = (date: string, days: number) => {
      return new Date(Date.parse(`${date}T00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
    }
    const holds = [shift(first, -1), first, last, shift(last, 1)].map((date) =>
      judge(`closeDate within ${span}`, closing(date)),
    )
    expect(holds).toEqual([false, true, true, false])
  })

  test('an instant belongs to its day in the zone, also when that day has 23 hours', () => {
    const days = [
      '2026-03-28T22:59:59.999Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T21:59:59.999Z',
      '2026-03-29T22:00:00Z',
    ]
    const judgeAll = (text: string) => days.map((it) => judge(text, created(it)))
    expect(judgeAll('createdAt = "2026-03-29"')).toEqual([false, true, true, false])
    expect(judgeAll('createdAt != today()')).toEqual([true, false, false, true])
    expect(judgeAll('createdAt <= "2026-03-29"')).toEqual([true, true, true, false])
    expect(judgeAll('createdAt > today()')).toEqual([false, false, false, true])
    expect(judgeAll('createdAt < "2026-03-29"')).toEqual([true, false, false, false])
    expect(judgeAll('createdAt in ("2026-03-28", "2026-03-30")')).toEqual([true, false, false, true])
    expect(judgeAll('createdAt within this month')).toEqual([true, true, true, true])
  })

  test('counted spans of instants end now: nothing later today is in the last days', () => {
    const instants = [
      '2026-03-21T23:00:00Z',
      '2026-03-29T10:30:00Z',
      '2026-03-29T10:30:00.001Z',
      '2026-04-05T21:59:59Z',
    ]
    const judgeAll = (text: string) => instants.map((it) => judge(text, created(it)))
    expect(judgeAll('createdAt within last 7 days')).toEqual([true, true, false, false])
    expect(judgeAll('createdAt within next 7 days')).toEqual([false, true, true, true])
    expect(judgeAll('createdAt within last 30 minutes')).toEqual([false, true, false, false])
  })

  test("a time without an offset is the zone's, a Date is as good as a string, and microseconds count", () => {
    expect(judge('createdAt = "2026-03-30T12:00"', created('2026-03-30T10:00:00Z'))).toBe(true)
    expect(judge('createdAt = "2026-03-30T12:00:00+02:00"', created(new Date('2026-03-30T10:00:00Z')))).toBe(true)
    expect(judge('createdAt > "2026-03-30T10:00:00Z"', created('2026-03-30T10:00:00.000001+00:00'))).toBe(true)
  })
})

describe('people and references', () => {
  test('me() is who asks; without anybody it equals no one and differs from no one', () => {
    const own = { ...blank, owner: { id: marie, name: 'Marie' } }
    expect(judge('owner = me() and owner.id = me()', own)).toBe(true)
    expect(judge('owner = me()', own, { userId: paul })).toBe(false)
    const { userId: _, ...nobody } = environment
    for (const text of ['owner = me()', 'owner != me()', 'owner in (me())']) {
      expect(evaluateExpression(check(text), own, nobody)).toBe(false)
    }
  })

  test('a hidden record behind a reference leaves its id and nothing else', () => {
    const account = '0190a6e2-7c4b-7d3e-9f10-a00000000001'
    const record = { ...blank, account: absentRecord(account) }
    expect(judge(`account = "${account.toUpperCase()}"`, record)).toBe(true)
    expect(judge('account is empty', record)).toBe(false)
    expect(judge('account.name is empty and account.id is empty', record)).toBe(true)
  })

  test('what was not loaded is an error of the caller, not a silent "no"', () => {
    expect(() => judge('account.name = "x"', { ...blank, account: marie })).toThrow('"account" was not loaded')
    expect(() => judge('any(account.children)', { ...blank, account: { id: marie } })).toThrow(
      '"children" was not loaded',
    )
  })

  test('members in the bin are not counted', () => {
    const account = {
      opportunities: [
        { state: 'won', deletedAt: '2026-01-01T00:00:00Z' },
        { state: 'won', deletedAt: null },
      ],
    }
    expect(evaluateExpression(check('count(opportunities, state = won) = 1', accounts), account, environment)).toBe(
      true,
    )
  })
})
