import { csvRecords } from './csv-file.ts'
import { jsonRecords } from './json-file.ts'
import type { FileRow, ReadableFile } from './tables.ts'
import { vcardRecords } from './vcard-file.ts'
import { xlsxRecords } from './xlsx-file.ts'

/** One kind of file that records come from. */
export interface ImportReader {
  readonly id: string
  /** Whether a file is of this kind, by how it begins; the first that says so reads it. */
  knows(head: { readonly bytes: Buffer; readonly text: string }): boolean
  /** Whether bytes are text in some encoding, which is then found out. */
  readonly isText: boolean
  /** The records, header first, as a stream. */
  records(file: ReadableFile): AsyncGenerator<FileRow>
}

/** A further format is one more line; the last takes any text. */
export const readers: readonly ImportReader[] = [
  {
    id: 'xlsx',
    knows: ({ bytes }) => bytes.subarray(0, 4).equals(Buffer.from([0x50, 0x4b, 3, 4])),
    isText: false,
    records: xlsxRecords,
  },
  { id: 'vcard', knows: ({ text }) => /^\s*BEGIN:VCARD\s/i.test(text), isText: true, records: vcardRecords },
  {
    id: 'json',
    // A list of what are no objects is JSON too, and says so better than a table of one line would.
    knows: ({ text }) =>
      /^\s*(?:\[\s*(?:\{\s*["}]|\]\s*$|(?:["[\d-]|null|true|false)[^\n]*[\],]\s*$)|\{\s*["}])/.test(text),
    isText: true,
    records: jsonRecords,
  },
  { id: 'csv', knows: () => true, isText: true, records: csvRecords },
]

/** Records of a file that was recognised before, header first. */
export function recordsOf(file: ReadableFile): AsyncGenerator<FileRow> {
  const reader = readers.find(({ id }) => id === file.format)
  if (!reader) throw new Error(`Nothing reads files of the format ${file.format}.`)
  return reader.records(file)
}
