/** Numbers and phones begin like formulas and are none: `-12,5`, `+33 1 23 45 67 89`, `+1 (415) 555-0100`. */
const numberOrPhone = /^[+-]?[\d.,\s()/\u00a0\u202f-]*\d[\d.,\s()/\u00a0\u202f-]*%?$/

/**
 * A cell that no spreadsheet runs: what begins like a formula is marked as text, by an apostrophe in front. Numbers and
 * phones stay as they are. `asWritten` reads the mark away again.
 *
 * OWASP, “CSV Injection”.
 */
export function harmless(cell: string): string {
  return /^'*[=+\-@\t\r]/.test(cell) && !numberOrPhone.test(cell) ? `'${cell}` : cell
}

/** A cell without the apostrophe that marks it as text. */
export function asWritten(cell: string): string {
  return /^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell
}
