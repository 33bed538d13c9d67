import { expect, test } from 'vitest'
import { nextSort, sortOf } from '../../ui/sorting.ts'

test('a head turns from up to down to unsorted', () => {
  expect(['', 'name', '-name'].map((sort) => nextSort(sort, 'name', false))).toEqual(['name', '-name', ''])
})

test('another head replaces the sort, with Shift it is added after it', () => {
  expect(nextSort('-amount', 'name', false)).toBe('name')
  expect(nextSort('-amount', 'name', true)).toBe('-amount,name')
  expect(nextSort('-amount,name', 'amount', true)).toBe('name')
})

test('a sort says its direction per field', () => {
  expect(['amount', 'name', 'stage'].map((field) => sortOf('-amount,name', field))).toEqual(['down', 'up', undefined])
})
