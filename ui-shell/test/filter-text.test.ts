import { expect, test } from 'vitest'
import { both, parseFilter, printFilter, quote } from '../src/records/filter-text.ts'

const again = (text: string) => printFilter(parseFilter(text))

test('a filter that reads like a sentence becomes one part for each comparison', () => {
  expect(parseFilter('stage.kind = "open" and amount >= 1000 and closeDate within next 30 days')).toEqual([
    { path: 'stage.kind', op: '=', value: { kind: 'scalar', value: 'open' } },
    { path: 'amount', op: '>=', value: { kind: 'scalar', value: 1000 } },
    {
      path: 'closeDate',
      op: 'within',
      value: { kind: 'period', period: { direction: 'next', count: 30, unit: 'days' } },
    },
  ])
})

test('what the chips can say is written back word for word', () => {
  for (const text of [
    'account.name ~ "société"',
    'stage in ("a", "b") and not owner in (me(), "c")',
    'nextStep is empty and amount is not empty',
    'closeDate < today() and createdAt within this month',
    'urgent = true and employees != -5',
  ]) {
    expect(again(text)).toBe(text)
  }
})

test('bare words and other spellings come out in the one spelling', () => {
  expect(again('state in (won,lost)')).toBe('state in ("won", "lost")')
  expect(again('closeDate WITHIN LAST 1 week')).toBe('closeDate within last 1 weeks')
})

test('what the chips cannot say stays as it was typed', () => {
  const either = 'amount > 5 or urgent = true'
  expect(parseFilter(either)).toEqual([{ raw: either }])
  expect(again('(amount > 5 or urgent = true) and owner = me()')).toBe('(amount > 5 or urgent = true) and owner = me()')
  expect(again('any(opportunities, amount > 5) and name ~ "x"')).toBe('any(opportunities, amount > 5) and name ~ "x"')
  expect(again('amount >')).toBe('amount >')
})

test('quotes and "and" inside a text are part of the text', () => {
  const name = 'Maison "Rouge" and Co'
  expect(parseFilter(`name = ${quote(name)}`)).toEqual([
    { path: 'name', op: '=', value: { kind: 'scalar', value: name } },
  ])
})

test('filters that must both hold are joined, and an "or" keeps its brackets', () => {
  expect(both('', 'a = 1', undefined)).toBe('a = 1')
  expect(both('a = 1 or b = 2', 'c = 3')).toBe('(a = 1 or b = 2) and c = 3')
})
