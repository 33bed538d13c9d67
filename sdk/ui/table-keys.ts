/** Which part of the table has the focus. */
export type TableArea = 'head' | 'row' | 'cell'

/** What a key means there; `next`, `previous`, `page…`, `first`, `last` are rows, `left`, `right`, `start`, `end` cells. */
export type TableAction =
  | 'next'
  | 'previous'
  | 'pageDown'
  | 'pageUp'
  | 'first'
  | 'last'
  | 'left'
  | 'right'
  | 'start'
  | 'end'
  | 'enterCells'
  | 'editFirst'
  | 'leaveCells'
  | 'open'
  | 'openApart'
  | 'peek'
  | 'toggle'
  | 'selectAll'
  | 'sort'
  | 'edit'
  | 'clear'
  | 'type'

export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
}

type Keys = Readonly<Record<string, TableAction>>

const headKeys: Keys = { ArrowDown: 'next', ArrowLeft: 'left', ArrowRight: 'right', Enter: 'sort', ' ': 'sort' }

const rowKeys: Keys = {
  ArrowDown: 'next',
  ArrowUp: 'previous',
  PageDown: 'pageDown',
  PageUp: 'pageUp',
  Home: 'first',
  End: 'last',
  Enter: 'open',
  ' ': 'peek',
  ArrowRight: 'enterCells',
  F2: 'editFirst',
}

/** Capitals, because Shift extends the selection while moving. */
const rowLetters: Keys = {
  j: 'next',
  J: 'next',
  k: 'previous',
  K: 'previous',
  x: 'toggle',
  X: 'toggle',
  e: 'enterCells',
}

const cellKeys: Keys = {
  ArrowDown: 'next',
  ArrowUp: 'previous',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  Home: 'start',
  End: 'end',
  Escape: 'leaveCells',
  ' ': 'peek',
  Enter: 'edit',
  F2: 'edit',
  Delete: 'clear',
  Backspace: 'clear',
}

const commandKeys: Keys = { a: 'selectAll', A: 'selectAll', Enter: 'openApart', Home: 'first', End: 'last' }

/**
 * The action of a key press, `undefined` when the table leaves it to the page.
 *
 * @param letters - whether single letters act; in a cell they are typed, whatever this says
 */
export function tableAction(press: KeyPress, area: TableArea, letters: boolean): TableAction | undefined {
  if (press.altKey) return undefined
  if (press.ctrlKey || press.metaKey) return area === 'head' ? undefined : commandKeys[press.key]
  if (area === 'head') return headKeys[press.key]
  if (area === 'row') return rowKeys[press.key] ?? (letters ? rowLetters[press.key] : undefined)
  return cellKeys[press.key] ?? (press.key.length === 1 ? 'type' : undefined)
}
