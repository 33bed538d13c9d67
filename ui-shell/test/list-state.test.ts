import { expect, test } from 'vitest'
import { emptyListState, readListState, writeListState } from '../src/records/list-state.ts'

test('a list as the resource has it leaves its address bare', () => {
  expect(writeListState(emptyListState)).toBe('')
  expect(readListState('')).toEqual(emptyListState)
})

test('whoever opens the address sees the same list', () => {
  const state = {
    view: 'kanban',
    filter: 'account.name ~ "R&D, été" and amount >= 1000',
    sort: '-amount,name',
    q: 'a b&c',
    columns: ['name', 'amount'],
    peek: '0197',
    creating: true,
    scope: 'p1',
  }
  expect(readListState(writeListState(state))).toEqual(state)
})
