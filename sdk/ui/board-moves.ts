import type { BoardCard, BoardColumn, BoardMove } from './socle-board.ts'

export interface Place {
  readonly column: BoardColumn
  readonly columnIndex: number
  readonly index: number
  readonly card: BoardCard
}

/** Where a card stands; `undefined` when it is on no column. */
export function placeOf(columns: readonly BoardColumn[], id: string): Place | undefined {
  for (const [columnIndex, column] of columns.entries()) {
    const index = column.cards.findIndex((it) => it.id === id)
    const card = column.cards[index]
    if (card) return { column, columnIndex, index, card }
  }
  return undefined
}

/** The columns as they will be once a move is done, counts included; sums are the server's. */
export function afterMove(columns: readonly BoardColumn[], move: Omit<BoardMove, 'card'>): BoardColumn[] {
  const card = placeOf(columns, move.id)?.card
  if (!card) return [...columns]
  return columns.map((column) => {
    const without = column.cards.filter((it) => it.id !== move.id)
    const left = without.length < column.cards.length ? 1 : 0
    if (column.key !== move.to) return left ? { ...column, cards: without, count: column.count - 1 } : column
    const cards = without.toSpliced(Math.max(0, move.index), 0, card)
    return { ...column, cards, count: column.count - left + 1 }
  })
}
