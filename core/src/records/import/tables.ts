import { importFileInvalid } from './errors.ts'

/** One record of a file, its cells in the order of the header. */
export interface FileRow {
  /** Where it starts in a file of lines, the header's line being 1; elsewhere the number of the record. */
  readonly line: number
  readonly cells: readonly string[]
  /** True when it has as many cells as the header. */
  readonly whole: boolean
}

/** How a file is to be read. */
export interface FileShape {
  /** Id of its reader. */
  readonly format: string
  /** Name that iconv-lite knows. */
  readonly encoding: string
  /** Between the cells of a text; empty where a format needs none. */
  readonly delimiter: string
  /** Lines before the header. */
  readonly skippedLines: number
}

export interface ReadableFile extends FileShape {
  readonly path: string
}

const mostColumns = 500
/** Characters of one record, in whatever kind of file. */
export const longestRecord = 1_000_000

/**
 * Names of the columns as a header gives them.
 *
 * @throws `IMPORT_FILE_INVALID` (422) for a name that is missing or there twice, and for more than 500 columns
 */
export function headerOf(record: readonly string[], line: number): string[] {
  const refuse = (reason: 'too_many_columns' | 'header_empty' | 'header_duplicate', value: string) =>
    importFileInvalid({ reason, line, value })
  const names = record.map((name) => name.replaceAll('\u0000', '').replaceAll(/\s+/g, ' ').trim())
  while (names.length > 0 && names.at(-1) === '') names.pop()
  if (names.length > mostColumns) throw refuse('too_many_columns', String(names.length))
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    if (name === '') throw refuse('header_empty', String(index + 1))
    if (seen.has(name)) throw refuse('header_duplicate', name.slice(0, 60))
    seen.add(name)
  }
  return names
}

/** A record in the width of its header; surplus cells are dropped where they are empty. */
export function fitted(record: readonly string[], width: number): Pick<FileRow, 'cells' | 'whole'> {
  if (record.length === width) return { cells: record, whole: true }
  const surplus = record.slice(width)
  if (record.length > width && surplus.every((cell) => cell.trim() === ''))
    return { cells: record.slice(0, width), whole: true }
  return { cells: record, whole: false }
}

/** The columns of records that each name their own: every name in the order in which it first appears. */
export class Columns {
  readonly #names = new Set<string>()

  take(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name)
    if (this.#names.size > mostColumns)
      throw importFileInvalid({ reason: 'too_many_columns', line: 1, value: String(this.#names.size) })
  }

  header(): string[] {
    return headerOf([...this.#names], 1)
  }
}
