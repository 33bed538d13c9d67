import { harmless } from './harmless.ts'

/** One line of CSV (RFC 4180). */
export function csvLine(cells: readonly string[], delimiter: string): string {
  const needed = new RegExp(`["\\r\\n${delimiter === '|' ? '\\|' : delimiter}]`)
  const quoted = cells.map(harmless).map((cell) => (needed.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
  return `${quoted.join(delimiter)}\r\n`
}
