import { expect, test } from 'vitest'
import { tableAction } from '../../ui/table-keys.ts'
import type { TableArea } from '../../ui/table-keys.ts'

const press = (key: string, more: { ctrlKey?: boolean; altKey?: boolean } = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
})
const means = (key: string, area: TableArea, letters = true) => tableAction(press(key), area, letters)

test('on a row, j and k move as the arrows do, x chooses, e and → go into the cells', () => {
  expect(['j', 'ArrowDown', 'k', 'ArrowUp'].map((key) => means(key, 'row'))).toEqual([
    'next',
    'next',
    'previous',
    'previous',
  ])
  expect(['x', 'e', 'ArrowRight'].map((key) => means(key, 'row'))).toEqual(['toggle', 'enterCells', 'enterCells'])
})

test('Space peeks and Enter opens, with Ctrl apart', () => {
  expect([means(' ', 'row'), means('Enter', 'row')]).toEqual(['peek', 'open'])
  expect(tableAction(press('Enter', { ctrlKey: true }), 'row', true)).toBe('openApart')
})

test('letters switched off are left to the page, arrows are not', () => {
  expect(['j', 'k', 'x', 'e'].map((key) => means(key, 'row', false))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(means('ArrowDown', 'row', false)).toBe('next')
})

test('in a cell any letter starts the edit, Enter and F2 go on from the value, Esc goes back to the row', () => {
  expect(['j', '5', 'é'].map((key) => means(key, 'cell', false))).toEqual(['type', 'type', 'type'])
  expect(['Enter', 'F2', 'Escape', 'Delete'].map((key) => means(key, 'cell'))).toEqual([
    'edit',
    'edit',
    'leaveCells',
    'clear',
  ])
})

test('Esc on a row, Tab anywhere and the page’s own shortcuts pass', () => {
  expect([means('Escape', 'row'), means('Tab', 'row'), means('Tab', 'cell'), means('[', 'row')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(tableAction(press('k', { ctrlKey: true }), 'row', true)).toBeUndefined()
  expect(tableAction(press('j', { altKey: true }), 'row', true)).toBeUndefined()
})

test('in the head, Enter and Space sort', () => {
  expect([means('Enter', 'head'), means(' ', 'head'), means('ArrowDown', 'head')]).toEqual(['sort', 'sort', 'next'])
})
