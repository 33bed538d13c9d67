import type { SavedView } from '@socle/sdk/ui'
import { expect, test } from 'vitest'
import { emptyListState, isBare, isModified, readListState, writeListState } from '../src/records/list-state.ts'

test('a list as the resource has it leaves its address bare', () => {
  expect(writeListState(emptyListState)).toBe('')
  expect(readListState('')).toEqual(emptyListState)
})

test('whoever opens the address sees the same list', () => {
  const state = {
    ...emptyListState,
    kind: 'kanban' as const,
    by: 'stage',
    filter: 'account.name ~ "R&D, été" and amount >= 1000',
    sort: '-amount,name',
    q: 'a b&c',
    columns: ['name', 'amount'],
    card: ['name', 'owner'],
    sums: [],
    density: 'compact',
    peek: '0197',
    creating: true,
    scope: 'p1',
  }
  expect(readListState(writeListState(state))).toEqual(state)
})

const view: SavedView = {
  id: '0197-a',
  version: 1,
  resource: 'core.account',
  name: 'In Lyon',
  kind: 'kanban',
  scope: 'mine',
  role: null,
  filter: 'city = "Lyon"',
  q: null,
  sort: 'name',
  columns: [{ field: 'name' }, { field: 'city' }],
  groupBy: 'owner',
  card: null,
  sums: null,
  startField: null,
  endField: null,
  density: 'normal',
  mine: true,
  pinned: false,
  default: false,
}
const find = (id: string) => (id === view.id ? view : undefined)

test('a saved view is its id alone, and what is changed on it stands beside it, emptied parts too', () => {
  const state = readListState('?view=0197-a', find)
  expect(state).toMatchObject({ kind: 'kanban', by: 'owner', filter: 'city = "Lyon"', columns: ['name', 'city'] })
  expect(isModified(state, view)).toBe(false)
  expect(writeListState(state, find)).toBe('?view=0197-a')
  const changed = { ...state, kind: 'table' as const, filter: '', sort: '-name', columns: undefined }
  expect(isModified(changed, view)).toBe(true)
  expect(readListState(writeListState(changed, find), find)).toEqual(changed)
})

test('only an address that says nothing of the rows leaves the choice to the reader’s own view', () => {
  expect(isBare('')).toBe(true)
  expect(isBare('?peek=0197&create=1')).toBe(true)
  expect(isBare('?view=table')).toBe(false)
  expect(isBare('?filter=')).toBe(false)
})
