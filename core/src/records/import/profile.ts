import { importFileInvalid } from './errors.ts'
import { recordsOf } from './readers.ts'
import type { ReadableFile } from './tables.ts'
import { looksLikeDate, looksLikeNumber, type DateOrder } from './cell-forms.ts'

/** What a column holds, over the whole file. */
export interface ColumnProfile {
  readonly name: string
  /** First different values. */
  readonly samples: readonly string[]
  readonly empty: number
  readonly filled: number
  /** Different values with the lines that have each, most frequent first; none where there are too many to choose from. */
  readonly values: readonly (readonly [value: string, lines: number])[] | null
  /** No value stands in two lines. */
  readonly unique: boolean
  /** Lines that read as a number, a date, an address. */
  readonly numbers: number
  readonly dates: number
  readonly mails: number
  /** Sign before the decimals; null where no value tells. */
  readonly decimal: ',' | '.' | null
  /** Order in `03/04/2026`; null where no value tells. */
  readonly dateOrder: DateOrder | null
}

export interface FileProfile {
  readonly lines: number
  readonly columns: readonly ColumnProfile[]
}

const mostValues = 2_000
const longestValue = 200
const mostRemembered = 50_000
const sampleCount = 5

/**
 * Reads a file once from end to end: whether it can be read, and what its columns hold.
 *
 * @throws `IMPORT_FILE_INVALID` (422)
 */
export async function profile(file: ReadableFile): Promise<FileProfile> {
  let columns: Column[] | undefined
  let lines = 0
  for await (const { cells, whole } of recordsOf(file)) {
    if (!columns) {
      columns = cells.map((name) => new Column(name))
      continue
    }
    lines += 1
    if (whole) for (const [index, cell] of cells.entries()) columns[index]?.take(cell.trim())
  }
  if (!columns || lines === 0) throw importFileInvalid({ reason: 'no_lines', line: 1, value: '' })
  return { lines, columns: columns.map((column) => column.profile()) }
}

class Column {
  readonly #name: string
  #values: Map<string, number> | undefined = new Map()
  #remembered: Set<string> | undefined = new Set()
  #unique = true
  readonly #samples: string[] = []
  #empty = 0
  #filled = 0
  #numbers = 0
  #dates = 0
  #mails = 0
  #commas = 0
  #points = 0
  readonly #orders = new Set<DateOrder>()

  constructor(name: string) {
    this.#name = name
  }

  take(cell: string): void {
    if (cell === '') {
      this.#empty += 1
      return
    }
    this.#filled += 1
    if (this.#samples.length < sampleCount && !this.#samples.includes(cell.slice(0, longestValue)))
      this.#samples.push(cell.slice(0, longestValue))
    this.#remember(cell)
    const number = looksLikeNumber(cell)
    if (number) {
      this.#numbers += 1
      if (number.decimal === ',') this.#commas += 1
      if (number.decimal === '.') this.#points += 1
    }
    const date = looksLikeDate(cell)
    if (date) {
      this.#dates += 1
      // A year in front says nothing of how the others are written.
      if (date.order && date.order !== 'YMD') this.#orders.add(date.order)
    }
    if (/^\S+@\S+\.\S+$/.test(cell)) this.#mails += 1
  }

  #remember(cell: string): void {
    if (this.#unique && this.#remembered) {
      if (this.#remembered.has(cell)) this.#unique = false
      else if (this.#remembered.size < mostRemembered) this.#remembered.add(cell)
      if (!this.#unique) this.#remembered = undefined
    }
    if (!this.#values) return
    this.#values.set(cell, (this.#values.get(cell) ?? 0) + 1)
    if (this.#values.size > mostValues || cell.length > longestValue) this.#values = undefined
  }

  profile(): ColumnProfile {
    const [order] = this.#orders
    return {
      name: this.#name,
      samples: this.#samples.map(withoutNul),
      empty: this.#empty,
      filled: this.#filled,
      values: this.#values
        ? [...this.#values].map(([value, lines]) => [withoutNul(value), lines] as const).toSorted((a, b) => b[1] - a[1])
        : null,
      unique: this.#unique && this.#filled > 0,
      numbers: this.#numbers,
      dates: this.#dates,
      mails: this.#mails,
      decimal: this.#commas > this.#points ? ',' : this.#points > 0 ? '.' : null,
      dateOrder: this.#orders.size === 1 ? (order ?? null) : null,
    }
  }
}

/** A text as PostgreSQL can keep it in JSON: without NUL and without halves of characters. */
export function withoutNul(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed()
}
