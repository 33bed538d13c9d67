import { expect, test } from 'vitest'
import { afterMove, placeOf } from '../../ui/board-moves.ts'

const columns = [
  { key: 'a', title: 'A', count: 5, cards: [{ id: '1' }, { id: '2' }, { id: '3' }] },
  { key: 'b', title: 'B', count: 1, cards: [{ id: '4' }] },
]
const ids = (after: ReturnType<typeof afterMove>) => after.map((it) => it.cards.map((card) => card.id).join(''))

test('a card leaves its column and stands at its place in the other, the counts follow', () => {
  const after = afterMove(columns, { id: '2', from: 'a', to: 'b', index: 0 })
  expect(ids(after)).toEqual(['13', '24'])
  expect(after.map((it) => it.count)).toEqual([4, 2])
})

test('a card moved within its column keeps the count', () => {
  const after = afterMove(columns, { id: '1', from: 'a', to: 'a', index: 2 })
  expect(ids(after)).toEqual(['231', '4'])
  expect(after[0]?.count).toBe(5)
})

test('a card dropped in a zone leaves the board', () => {
  const after = afterMove(columns, { id: '4', from: 'b', to: 'won', index: -1 })
  expect(ids(after)).toEqual(['123', ''])
  expect(placeOf(after, '4')).toBeUndefined()
})

test('a card that is gone meanwhile changes nothing', () => {
  expect(ids(afterMove(columns, { id: '9', from: 'a', to: 'b', index: 0 }))).toEqual(['123', '4'])
})
