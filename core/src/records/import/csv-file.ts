import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import iconv from 'iconv-lite'
import { importFileInvalid, type FileFault } from './errors.ts'
import { asWritten } from '../harmless.ts'
import { fitted, headerOf, longestRecord, type FileRow, type ReadableFile } from './tables.ts'

/** How far one record may go: past it, a quotation mark was left open. */

const refuse = (reason: FileFault, line: number, value = '') => importFileInvalid({ reason, line, value })

/**
 * The records of a file, header first, read as a stream: a file of any size takes the memory of a few records.
 *
 * Blank lines are passed over; cells beyond the header's last are dropped where they are empty.
 *
 * @throws `IMPORT_FILE_INVALID` (422) naming the line, for what keeps a file from being read at all
 */
export async function* csvRecords(file: ReadableFile): AsyncGenerator<FileRow> {
  const parser = parse({
    delimiter: file.delimiter,
    info: true,
    relax_column_count: true,
    // 5" of steel in an unquoted cell is text.
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: longestRecord,
    from_line: file.skippedLines + 1,
  })
  // What goes wrong in the source reaches the loop through the parser.
  pipeline(createReadStream(file.path), iconv.decodeStream(file.encoding), parser, () => {})
  let width: number | undefined
  let next = file.skippedLines + 1
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      // The parser counts to the record's last line.
      const line = info.lines - lineBreaks(record)
      next = info.lines + 1
      if (width === undefined) {
        const header = headerOf(record, line)
        width = header.length
        yield { line, cells: header, whole: true }
        continue
      }
      if (record.every((cell) => cell.trim() === '')) continue
      yield { line, ...fitted(record.map(asWritten), width) }
    }
  } catch (error) {
    throw error instanceof CsvError ? refusalOf(error, next) : error
  }
  if (width === undefined) throw refuse('empty', 1)
}

function lineBreaks(record: readonly string[]): number {
  let breaks = 0
  for (const cell of record) {
    for (let at = cell.indexOf('\n'); at >= 0; at = cell.indexOf('\n', at + 1)) breaks += 1
  }
  return breaks
}

function refusalOf(error: CsvError, line: number) {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return refuse('quote', line)
  if (error.code === 'CSV_MAX_RECORD_SIZE') return refuse('record_too_long', line)
  return refuse('unreadable', line, error.message.slice(0, 120))
}
