import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitColumns } from '../../ui/column-widths.ts'

const title = { min: 160, ideal: 300 }
const stage = { min: 120, ideal: 120 }
const owner = { min: 104, ideal: 180 }
const amount = { min: 90, ideal: 90 }
const total = (widths: readonly number[]) => widths.reduce((sum, it) => sum + it, 0)

test('with room for all, texts get their ideal and the rest goes mostly to the title', () => {
  const { widths, hidden } = fitColumns([title, stage, owner, amount], 1000)
  expect(hidden).toBe(0)
  expect(total(widths)).toBeGreaterThan(995)
  expect(widths[0]).toBeGreaterThan(400)
})

test('texts shrink before a column gives way', () => {
  const { widths, hidden } = fitColumns([title, stage, owner, amount], 500)
  expect(hidden).toBe(0)
  expect(widths[1]).toBe(120)
  expect(widths[3]).toBe(90)
})

test('columns give way whole, from the end of the view', () => {
  const { widths, hidden } = fitColumns([title, stage, owner, amount], 400)
  expect(hidden).toBe(1)
  expect(widths).toHaveLength(3)
})

test('the title stays however narrow it gets', () => {
  expect(fitColumns([title, stage], 50)).toEqual({ widths: [160], hidden: 1 })
})

test('asked for all, none gives way and the table scrolls', () => {
  expect(fitColumns([title, stage, owner, amount], 400, true)).toEqual({ widths: [300, 120, 180, 90], hidden: 0 })
})

test('no column is ever narrower than what it needs, and they never exceed the room unless the title alone does', () => {
  const wish = fc.tuple(fc.integer({ min: 24, max: 200 }), fc.integer({ min: 0, max: 200 }))
  fc.assert(
    fc.property(fc.array(wish, { minLength: 1, maxLength: 12 }), fc.integer({ min: 0, max: 2000 }), (pairs, room) => {
      const wishes = pairs.map(([min, more]) => ({ min, ideal: min + more }))
      const { widths, hidden } = fitColumns(wishes, room)
      expect(widths.length + hidden).toBe(wishes.length)
      widths.forEach((it, index) => expect(it).toBeGreaterThanOrEqual(wishes[index]?.min ?? 0))
      if (widths.length > 1) expect(total(widths)).toBeLessThanOrEqual(room)
    }),
  )
})
