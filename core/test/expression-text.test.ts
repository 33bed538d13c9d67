import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expressionSchema, parseExpression, printExpression, readExpression } from '../src/records/expression/index.ts'
import type { Expression, Literal, Span } from '../src/records/expression/index.ts'
import { refusal } from './expression-world.ts'

describe('the text form', () => {
  test('a filter reads like a sentence', () => {
    const text = 'stage.kind = "open" and amount >= 1000 and account.name ~ "société" and closeDate within next 30 days'
    expect(parseExpression(text)).toEqual({
      op: 'and',
      of: [
        { op: '=', path: 'stage.kind', value: 'open' },
        { op: '>=', path: 'amount', value: 1000 },
        { op: '~', path: 'account.name', value: 'société' },
        { op: 'within', path: 'closeDate', span: { side: 'next', unit: 'day', count: 30 } },
      ],
    })
    expect(printExpression(parseExpression(text))).toBe(text)
  })

  test('"not" binds closer than "and", "and" closer than "or", and brackets say otherwise', () => {
    expect(parseExpression('not a = 1 and b = 2 or c = 3')).toEqual(
      parseExpression('((not (a = 1)) and b = 2) or c = 3'),
    )
    expect(printExpression(parseExpression('not (a = 1 and (b = 2 or c = 3))'))).toBe(
      'not (a = 1 and (b = 2 or c = 3))',
    )
  })

  test.each([
    [
      'opportunities of an account are asked by any, none, count and sum',
      'any(opportunities, amount > 1000) and none(opportunities) and count(opportunities, state = "won") >= 3 and sum(opportunities.amount, urgent = true) > 100',
    ],
    ['a field is empty or is not', 'owner is empty or closeDate is not empty'],
    [
      'dates, instants and the clock',
      'closeDate >= "2026-01-31" and createdAt < now() and closeDate != today() and owner = me()',
    ],
    [
      'spans of the calendar',
      'closeDate within this quarter or closeDate within last month or createdAt within last 2 hours or closeDate within next year',
    ],
    ['a list of texts and numbers', 'state in ("won", "lost") and quantity in (1, 2.5, -3)'],
    ['constants', 'true and not false'],
    ['a field named like a word of the language', '`not` = 1 and count = 2 and account.in = 3'],
  ])('%s print as they are written', (_, text) => {
    expect(printExpression(parseExpression(text))).toBe(text)
  })

  test('bare words, single quotes, bare dates and capitals are understood and printed in the canonical form', () => {
    const loose = "state IN (won, 'lost') AND closeDate > 2026-01-31 and NOT name is empty"
    expect(printExpression(parseExpression(loose))).toBe(
      'state in ("won", "lost") and closeDate > "2026-01-31" and name is not empty',
    )
  })

  test('a number keeps every digit', () => {
    const text = 'amount = 12345678901234567890.123456789 and amount != -0.10'
    expect(printExpression(parseExpression(text))).toBe('amount = 12345678901234567890.123456789 and amount != -0.1')
  })

  test('quotes, backslashes, line breaks and any character survive in a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const expression: Expression = { op: '=', path: 'name', value }
        expect(parseExpression(printExpression(expression))).toEqual(expression)
      }),
    )
  })

  test('what is printed is read back as the same expression', () => {
    fc.assert(
      fc.property(expressions, (expression) => {
        const canonical = expressionSchema.parse(expression)
        expect(parseExpression(printExpression(canonical))).toEqual(canonical)
        expect(expressionSchema.parse(JSON.parse(JSON.stringify(canonical)))).toEqual(canonical)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a fault in the text', () => {
  test.each([
    ['amount >= ', 10, 'the end', 'a value'],
    ['amount 5', 7, '"5"', '"within"'],
    ['amount = 5 name = "x"', 11, '"name"', '"and", "or"'],
    ['(amount = 5', 11, 'the end', '")"'],
    ['amount = 5)', 10, '")"', 'the end'],
    ['name = "open', 7, 'the end', '"'],
    ['closeDate within last 90 moons', 25, '"moons"', 'days'],
    ['closeDate within 90 days', 17, '"90"', '"last"'],
    ['closeDate within last 1.5 days', 22, '"1.5"', 'a whole number'],
    ['state in ()', 10, '")"', 'a value'],
    ['name is blank', 8, '"blank"', '"empty"'],
    ['amount = #5', 9, '"#"', 'a value'],
    ['and amount = 5', 0, '"and"', 'a field'],
    ['any(, a = 1)', 4, '","', 'a collection'],
    ['count(opportunities)', 20, 'the end', 'a comparison'],
    ['owner = me', 10, 'the end', '"("'],
    ['name = empty', 7, '"empty"', 'a value'],
    ['', 0, 'the end', 'a field'],
  ])('%s is located, with what stands there and what would do', (text, position, found, expected) => {
    const fault = refusal(() => parseExpression(text))
    expect(fault).toMatchObject({ code: 'EXPRESSION_INVALID', status: 400, extras: { position, found } })
    expect(fault.extras['expected']).toContain(expected)
    expect(fault.message).toContain(`Character ${position + 1}`)
  })

  test('no text at all, however odd, does anything but parse or be refused', () => {
    const words = fc.constantFrom('and', 'or', 'not', '(', ')', 'amount', '>=', '=', '5', '"x"', 'any', 'in', ',', 'is', 'empty', 'within', 'last', '`', "'", '2026-01-31', '~') // prettier-ignore
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 30 }).map((it) => it.join(' ')),
    )
    fc.assert(
      fc.property(odd, (text) => {
        try {
          parseExpression(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'EXPRESSION_INVALID' })
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the JSON form', () => {
  test('a condition alone in "and" or "or" is that condition', () => {
    const one = { op: '=', path: 'name', value: 'x' }
    expect(readExpression({ op: 'and', of: [{ op: 'or', of: [one] }] })).toEqual(one)
  })

  test.each([
    [{ op: 'like', path: 'name', value: 'x' }, '/op'],
    [
      {
        op: 'and',
        of: [
          { op: '=', path: 'name', value: 'x' },
          { op: '=', path: 'name' },
        ],
      },
      '/of/1/value',
    ],
    [{ op: '=', path: 'name; drop table account', value: 'x' }, '/path'],
    [{ op: '=', path: 'name', value: 'x', raw: '1=1' }, '/'],
    [{ op: '=', path: 'name', value: null }, '/value'],
    [{ op: 'in', path: 'name', values: [] }, '/values'],
    [{ op: 'within', path: 'closeDate', span: { side: 'last', unit: 'moon' } }, '/span/unit'],
    [null, '/'],
    [[], '/'],
  ])('%j is refused at %s', (input, at) => {
    expect(refusal(() => readExpression(input))).toMatchObject({ code: 'EXPRESSION_INVALID', extras: { at } })
  })
})

describe('what would exhaust the reader is refused before it is read', () => {
  const nested = (levels: number) => {
    let node: unknown = { op: 'empty', path: 'name' }
    for (let level = 0; level < levels; level += 1) node = { op: 'not', of: node }
    return node
  }

  test.each([
    ['a hundred thousand nested "not" as JSON', () => readExpression(nested(100_000))],
    ['a hundred thousand conditions as JSON', () => readExpression({ op: 'and', of: Array(100_000).fill(nested(0)) })],
    ['a text of megabytes', () => parseExpression('a'.repeat(2_000_000))],
    ['ten thousand opening brackets', () => parseExpression('('.repeat(10_000))],
    ['thousands of "not"', () => parseExpression(`${'not '.repeat(4_000)} a = 1`)],
    ['thousands of nested collections', () => parseExpression('any(a, '.repeat(2_000))],
  ])('%s', (_, run) => {
    // The processor's time, not the clock's: other tests run beside this one.
    const started = process.cpuUsage()
    expect(refusal(run)).toMatchObject({ code: 'EXPRESSION_TOO_COSTLY', status: 422 })
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_000)
  })

  test('the longest text of any one character is read in milliseconds', () => {
    for (const unit of [' ', 'a.', '1', '-', '"', '\\', '`', '2026-01-31T', '(', '=', 'é', "'\\u", 'not ', '1.']) {
      const started = process.cpuUsage()
      refusal(() => parseExpression(unit.repeat(Math.floor(20_000 / unit.length))))
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_000)
    }
  })
})

const paths = fc.constantFrom(
  'name',
  'amount',
  'account.name',
  'not',
  'in',
  'count',
  'account.parent.owner.name',
  'any',
)
const literals: fc.Arbitrary<Literal> = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.boolean(),
  fc.integer(),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((it) => it / 100),
  fc.stringMatching(/^-?[0-9]{1,40}(\.[0-9]{1,20})?$/).map((number) => ({ number })),
  fc.constantFrom('today' as const, 'now' as const, 'me' as const).map((call) => ({ call })),
)
const comparators = fc.constantFrom(
  '=' as const,
  '!=' as const,
  '<' as const,
  '<=' as const,
  '>' as const,
  '>=' as const,
)
const spans: fc.Arbitrary<Span> = fc.record(
  {
    side: fc.constantFrom('last' as const, 'next' as const),
    unit: fc.constantFrom('hour' as const, 'day' as const, 'week' as const, 'month' as const, 'quarter' as const),
    count: fc.integer({ min: 1, max: 999 }),
  },
  { requiredKeys: ['side', 'unit'] },
)

const { expressions } = fc.letrec<{ expressions: Expression }>((tie) => ({
  expressions: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ op: fc.oneof(comparators, fc.constant('~' as const)), path: paths, value: literals }),
    fc.record({
      op: fc.constant('in' as const),
      path: paths,
      values: fc.array(literals, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ op: fc.constant('empty' as const), path: paths }),
    fc.record({ op: fc.constant('within' as const), path: paths, span: spans }),
    fc.record({ op: fc.constant('not' as const), of: tie('expressions') }),
    fc.record({
      op: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('expressions'), { maxLength: 4 }),
    }),
    fc.record(
      { op: fc.constantFrom('any' as const, 'none' as const), path: paths, where: tie('expressions') },
      { requiredKeys: ['op', 'path'] },
    ),
    fc.record(
      {
        op: fc.constantFrom('count' as const, 'sum' as const),
        path: paths,
        where: tie('expressions'),
        is: comparators,
        value: literals,
      },
      { requiredKeys: ['op', 'path', 'is', 'value'] },
    ),
  ),
}))
