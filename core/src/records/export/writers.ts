import { csvLine } from '../csv-line.ts'
import type { Resource } from '../registry.ts'
import { cellOf, pointsAtRecord, titleOf, type ExportColumn, type ExportRow, type Labels } from './columns.ts'
import { vcardFields, vcardOf } from './vcard-writer.ts'
import { sheetRow, zipped, type SheetCell } from './xlsx-writer.ts'

export interface WriterParts extends Labels {
  readonly resource: Resource
  readonly columns: readonly ExportColumn[]
  readonly delimiter: ',' | ';'
}

/** One form of file that records are carried out in. Its parts are texts, so that a file can be written bit by bit. */
export interface ExportWriter {
  readonly id: string
  readonly extension: string
  readonly mediaType: string
  /** Rows beyond which the form has no room. */
  readonly mostRows?: number
  /** The only fields it writes; any that are asked for where it does not say. */
  fields?(resource: Resource): readonly string[]
  head(parts: WriterParts): string
  /** @param nth - number of the record in the file, from 0 */
  row(row: ExportRow, parts: WriterParts, nth: number): string
  foot(parts: WriterParts): string
  /** Packs the parts into the file that is given out; without it they are the file. */
  pack?(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}

const cells = (row: ExportRow, parts: WriterParts) =>
  parts.columns.map((column) => cellOf(column, row, parts.resource, parts))

/** A further form is one more entry. */
export const writers: readonly ExportWriter[] = [
  {
    id: 'csv',
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8',
    // With its mark, a spreadsheet reads it as UTF-8.
    head: ({ columns, delimiter }) =>
      `\ufeff${csvLine(
        columns.map(({ head }) => head),
        delimiter,
      )}`,
    row: (row, parts) => csvLine(cells(row, parts), parts.delimiter),
    foot: () => '',
  },
  {
    id: 'xlsx',
    extension: 'xlsx',
    mediaType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    mostRows: 1_048_575,
    head: ({ columns }) =>
      sheetRow(
        columns.map(({ head }): SheetCell => ({ type: 'text', text: head })),
        0,
      ),
    row: (row, parts, nth) =>
      sheetRow(
        parts.columns.map((column) => sheetCell(column, row, parts)),
        nth + 1,
      ),
    foot: () => '',
    pack: zipped,
  },
  {
    id: 'json',
    extension: 'json',
    mediaType: 'application/json; charset=utf-8',
    head: () => '[\n',
    row: (row, { columns }, nth) => `${nth === 0 ? '' : ',\n'}${JSON.stringify(objectOf(row, columns))}`,
    foot: () => '\n]\n',
  },
  {
    id: 'vcard',
    extension: 'vcf',
    mediaType: 'text/vcard; charset=utf-8',
    fields: vcardFields,
    head: () => '',
    row: vcardOf,
    foot: () => '',
  },
]

/** Whether records of a kind have what a form is for. */
export function suits({ fields }: ExportWriter, resource: Resource): boolean {
  return !fields || fields(resource).length > 0
}

function sheetCell(column: ExportColumn, row: ExportRow, parts: WriterParts): SheetCell {
  const text = cellOf(column, row, parts.resource, parts)
  const { type } = column.field
  if (text === '' || column.part !== 'value') return { type: 'text', text }
  if (type === 'date') return { type: 'date', text }
  if (type === 'instant') return { type: 'instant', text, zone: parts.zone }
  const isNumber = type === 'integer' || type === 'decimal' || type === 'money' || type === 'percent'
  return { type: isNumber ? 'number' : 'text', text }
}

function objectOf(row: ExportRow, columns: readonly ExportColumn[]): Record<string, unknown> {
  const answer: Record<string, unknown> = {}
  for (const { field, part } of columns) {
    const value = row.record[field.name] ?? null
    if (part === 'value' || field.type === 'address') answer[field.name] = value
    else if (part === 'id' && pointsAtRecord(field))
      answer[field.name] = value === null ? null : { id: value, title: titleOf(field, row) }
  }
  return answer
}
