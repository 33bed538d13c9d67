import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import iconv from 'iconv-lite'
import { importFileInvalid } from './errors.ts'
import { Columns, longestRecord, type FileRow, type ReadableFile } from './tables.ts'

const deepestPath = 3

const refuse = (line: number, value: string) => importFileInvalid({ reason: 'json', line, value })

/**
 * Records of a JSON file: the objects of a list, or one object to a line. Objects within are columns of their own,
 * `address.city`; lists are their values side by side. Read twice, because any record may bring a column.
 *
 * @throws `IMPORT_FILE_INVALID` (422) naming the record that is none
 */
export async function* jsonRecords(file: ReadableFile): AsyncGenerator<FileRow> {
  const columns = new Columns()
  for await (const record of objectsOf(file)) columns.take(record.keys())
  const header = columns.header()
  if (header.length === 0) throw importFileInvalid({ reason: 'empty', line: 1, value: '' })
  yield { line: 1, cells: header, whole: true }
  let line = 0
  for await (const record of objectsOf(file)) {
    line += 1
    yield { line, cells: header.map((name) => record.get(name) ?? ''), whole: true }
  }
}

async function* objectsOf(file: ReadableFile): AsyncGenerator<Map<string, string>> {
  let line = 0
  for await (const text of valuesIn(file)) {
    line += 1
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      throw refuse(line, error instanceof Error ? error.message.slice(0, 120) : '')
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refuse(line, text.slice(0, 60))
    yield flat(value, '', 1)
  }
}

function flat(value: object, prefix: string, depth: number): Map<string, string> {
  const cells = new Map<string, string>()
  for (const [name, inner] of Object.entries(value)) {
    const path = prefix + name
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner) && depth < deepestPath) {
      for (const [key, text] of flat(inner as object, `${path}.`, depth + 1)) cells.set(key, text)
    } else cells.set(path, textOf(inner))
  }
  return cells
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)
}

/** Texts of the values in a list, or of those that follow one another, without reading more than one at a time. */
async function* valuesIn({ path, encoding }: ReadableFile): AsyncGenerator<string> {
  let held = ''
  let depth = 0
  let quoted = false
  let escaped = false
  let inList: boolean | undefined
  let isClosed = false
  let count = 0
  const texts = iconv.decodeStream(encoding)
  // What goes wrong in the source reaches the loop through the decoder, which takes the mark of its encoding away.
  pipeline(createReadStream(path), texts, () => {})
  for await (const chunk of texts as AsyncIterable<string>) {
    for (const sign of chunk) {
      if (quoted) {
        held += sign
        if (escaped) escaped = false
        else if (sign === '\\') escaped = true
        else if (sign === '"') quoted = false
        continue
      }
      if (inList === undefined && /\S/.test(sign)) {
        inList = sign === '['
        if (inList) continue
      }
      if (depth === 0 && (/\s/.test(sign) || (inList === true && (sign === ',' || sign === ']')))) {
        if (held !== '') {
          count += 1
          yield held
        }
        held = ''
        isClosed ||= sign === ']'
        continue
      }
      held += sign
      if (sign === '"') quoted = true
      else if (sign === '{' || sign === '[') depth += 1
      else if (sign === '}' || sign === ']') {
        depth -= 1
        if (depth > 0) continue
        count += 1
        yield held
        held = ''
      }
    }
    if (held.length > longestRecord) throw importFileInvalid({ reason: 'record_too_long', line: count + 1, value: '' })
  }
  if (held.trim() !== '') yield held
  // What was cut between two records looks whole but for its end.
  if (inList && !isClosed) throw refuse(count + 1, 'Unexpected end of JSON input')
}
