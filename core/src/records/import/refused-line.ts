import { harmless } from './harmless.ts'
import type { ImportRow } from './import.ts'

/** One line of CSV (RFC 4180). */
export function csvLine(cells: readonly string[], delimiter: string): string {
  const needed = new RegExp(`["\\r\\n${delimiter === '|' ? '\\|' : delimiter}]`)
  const quoted = cells.map(harmless).map((cell) => (needed.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
  return `${quoted.join(delimiter)}\r\n`
}

/** A refused line as it stood in the file, with its number and the reasons behind it. */
export function refusedLine(
  { line, problems = [], cells }: ImportRow & { readonly cells: readonly string[] | null },
  width: number,
  label: (field: string) => string,
): string[] {
  const own = Array.from({ length: Math.max(width, cells?.length ?? 0) }, (_, index) => cells?.[index] ?? '')
  const reasons = problems.map(({ field, detail }) => (field === '' ? detail : `${label(field)}: ${detail}`))
  return [...own.slice(0, width), String(line), reasons.join(' ')]
}
