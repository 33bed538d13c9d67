import { hash } from 'node:crypto'
import { cursorInvalid } from './errors.ts'

/** Where a page ended: the sort values and id of its last row, bound to the query it belongs to. */
export interface Cursor {
  readonly values: readonly (string | number | boolean | null)[]
  readonly id: string
}

/** Short name of a query, so that a cursor of another one is told apart. */
export function queryKey(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 12)
}

export function encodeCursor(key: string, { values, id }: Cursor): string {
  return Buffer.from(JSON.stringify([key, id, ...values])).toString('base64url')
}

/** @throws `CURSOR_INVALID` (400) for a cursor that is damaged or of another query */
export function decodeCursor(key: string, text: string): Cursor {
  const shown = text.slice(0, 60)
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    throw cursorInvalid({ cursor: shown })
  }
  if (!Array.isArray(parts) || parts[0] !== key || typeof parts[1] !== 'string') throw cursorInvalid({ cursor: shown })
  const values: unknown[] = parts.slice(2)
  if (!values.every((value) => value === null || ['string', 'number', 'boolean'].includes(typeof value))) {
    throw cursorInvalid({ cursor: shown })
  }
  return { id: parts[1], values: values as Cursor['values'] }
}
