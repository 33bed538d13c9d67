import type { Readable } from 'node:stream'
import { Decimal } from 'decimal.js'
import { SaxesParser, type SaxesTagPlain } from 'saxes'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { archiveRefused, fileTypeRefused, importFileInvalid } from './errors.ts'
import { fitted, headerOf, longestRecord, type FileRow, type ReadableFile } from './tables.ts'

/** A sheet of numbers packs to a tenth; what packs to a hundredth was made to fill a disk. */
const mostRatio = 100
/** The workbook's texts are the one part of it that is held in memory. */
const mostTexts = 128_000_000

const damaged = (value: string) => importFileInvalid({ reason: 'workbook', line: 1, value: value.slice(0, 120) })

/**
 * Rows of the first sheet that has any, read as a stream: of the workbook only its texts and styles are held
 * (ECMA-376 part 1, chapter 18).
 *
 * @throws `ARCHIVE_REFUSED` (422), `FILE_TYPE_REFUSED` (415) for an archive that is no workbook, `IMPORT_FILE_INVALID` (422)
 */
export async function* xlsxRecords(file: ReadableFile): AsyncGenerator<FileRow> {
  const zip = await opened(file.path)
  try {
    const entries = await entriesOf(zip)
    const workbook = await workbookOf(zip, entries)
    const texts = await textsOf(zip, entries)
    let width: number | undefined
    for (const path of workbook.sheets) {
      for await (const { line, cells } of rowsOf(zip, entries.get(path), { ...workbook, texts })) {
        if (cells.every((cell) => cell.trim() === '')) continue
        if (width === undefined) {
          const header = headerOf(cells, line)
          width = header.length
          yield { line, cells: header, whole: true }
        } else {
          // Sheets leave out what is empty at the end of a row.
          const all = Array.from({ length: Math.max(width, cells.length) }, (_, index) => cells[index] ?? '')
          yield { line, ...fitted(all, width) }
        }
      }
      if (width !== undefined) return
    }
    throw importFileInvalid({ reason: 'empty', line: 1, value: '' })
  } finally {
    zip.close()
  }
}

async function opened(path: string): Promise<ZipFile> {
  return openPromise(path, { lazyEntries: true, autoClose: false }).catch(refuseDamaged)
}

/** What the archive's reader throws is the file's fault, unless the disk failed it. */
function refuseDamaged(error: unknown): never {
  throw error instanceof Error && !('syscall' in error) ? damaged(error.message) : error
}

async function* ofArchive<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    refuseDamaged(error)
  }
}

type Entries = ReadonlyMap<string, Entry>

async function entriesOf(zip: ZipFile): Promise<Entries> {
  const entries = new Map<string, Entry>()
  let size = 0
  for await (const entry of ofArchive(zip.eachEntry())) {
    size += entry.uncompressedSize
    if (entry.uncompressedSize > mostRatio * Math.max(1_000, entry.compressedSize) || size > mostRatio * zip.fileSize)
      throw archiveRefused({ reason: 'ratio', limit: mostRatio })
    entries.set(entry.fileName, entry)
  }
  if (!entries.has('xl/workbook.xml')) throw fileTypeRefused({ kind: 'an archive' })
  return entries
}

interface Workbook {
  /** Paths of its sheets, in their order. */
  readonly sheets: readonly string[]
  /** Days since 1904 instead of 1900. */
  readonly since1904: boolean
  /** Which cell styles show a number as a date. */
  readonly dated: readonly boolean[]
}

async function workbookOf(zip: ZipFile, entries: Entries): Promise<Workbook> {
  const ids: string[] = []
  let since1904 = false
  await read(zip, entries.get('xl/workbook.xml'), {
    open({ name, attributes }) {
      if (name === 'sheet' && attributes['state'] !== 'veryHidden') ids.push(attributes['r:id'] ?? '')
      if (name === 'workbookPr') since1904 = /^(?:1|true)$/.test(attributes['date1904'] ?? '')
    },
  })
  const paths = new Map<string, string>()
  await read(zip, entries.get('xl/_rels/workbook.xml.rels'), {
    open({ name, attributes: { Id: id = '', Target: target = '' } }) {
      if (name === 'Relationship') paths.set(id, target.startsWith('/') ? target.slice(1) : `xl/${target}`)
    },
  })
  return { sheets: ids.flatMap((id) => paths.get(id) ?? []), since1904, dated: await datedStyles(zip, entries) }
}

async function datedStyles(zip: ZipFile, entries: Entries): Promise<boolean[]> {
  const own = new Map<string, boolean>()
  const dated: boolean[] = []
  let inStyles = false
  await read(zip, entries.get('xl/styles.xml'), {
    open({ name, attributes }) {
      if (name === 'numFmt') own.set(attributes['numFmtId'] ?? '', showsDate(attributes['formatCode'] ?? ''))
      if (name === 'cellXfs') inStyles = true
      if (name === 'xf' && inStyles) {
        const id = attributes['numFmtId'] ?? '0'
        const number = Number(id)
        // Built-in formats that show dates and times (ECMA-376 part 1, 18.8.30).
        dated.push(own.get(id) ?? ((number >= 14 && number <= 22) || (number >= 45 && number <= 47)))
      }
    },
    close(name) {
      if (name === 'cellXfs') inStyles = false
    },
  })
  return dated
}

function showsDate(format: string): boolean {
  return /[dmyhs]/i.test(format.replaceAll(/"[^"]*"|\[[^\]]*\]|\\./g, ''))
}

async function textsOf(zip: ZipFile, entries: Entries): Promise<string[]> {
  const texts: string[] = []
  let size = 0
  let text: string | undefined
  let heard = false
  // Readings in small type above the signs are no part of the text.
  let phonetic = 0
  await read(zip, entries.get('xl/sharedStrings.xml'), {
    open({ name }) {
      if (name === 'si') text = ''
      if (name === 't') heard = phonetic === 0
      if (name === 'rPh') phonetic += 1
    },
    text(piece) {
      if (!heard || text === undefined) return
      text += piece
      if (size + text.length > mostTexts) throw importFileInvalid({ reason: 'texts', line: 1, value: '' })
    },
    close(name) {
      if (name === 't') heard = false
      if (name === 'rPh') phonetic -= 1
      if (name !== 'si') return
      size += text?.length ?? 0
      texts.push(unhidden(text ?? ''))
      text = undefined
    },
  })
  return texts
}

/** `_x000D_` stands for a sign that XML cannot hold (ECMA-376 part 1, 22.9.2.19). */
function unhidden(text: string): string {
  return text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

async function* rowsOf(
  zip: ZipFile,
  entry: Entry | undefined,
  book: Workbook & { readonly texts: readonly string[] },
): AsyncGenerator<{ line: number; cells: string[] }> {
  if (!entry) return
  const rows: { line: number; cells: string[] }[] = []
  let row: { line: number; cells: string[] } = { line: 0, cells: [] }
  let cell: { at: number; type: string; style: number; text: string } | undefined
  let heard = false
  let size = 0
  const grow = (text: string) => {
    size += text.length
    if (size > longestRecord) throw importFileInvalid({ reason: 'record_too_long', line: row.line, value: '' })
  }
  const parser = parserOf({
    open({ name, attributes }) {
      if (name === 'row') size = 0
      if (name === 'row') row = { line: Number(attributes['r'] ?? row.line + 1), cells: [] }
      else if (name === 'c') {
        const at = columnOf(attributes['r'] ?? '') ?? row.cells.length
        cell = { at, type: attributes['t'] ?? 'n', style: Number(attributes['s'] ?? 0), text: '' }
      } else if (name === 'v' || name === 't') heard = true
    },
    text(piece) {
      if (!heard || !cell) return
      grow(piece)
      cell.text += piece
    },
    close(name) {
      if (name === 'v' || name === 't') heard = false
      if (name === 'c' && cell) {
        const most = 500
        if (cell.at > most)
          throw importFileInvalid({ reason: 'too_many_columns', line: row.line, value: String(cell.at) })
        while (row.cells.length < cell.at) row.cells.push('')
        const text = shown(cell, book)
        // A text of the workbook may stand in any number of cells.
        if (cell.type === 's') grow(text)
        row.cells[cell.at] = text
        cell = undefined
      }
      if (name === 'row') rows.push(row)
    },
  })
  for await (const chunk of await stream(zip, entry)) {
    parser.write(chunk)
    yield* rows.splice(0)
  }
  parser.close()
  yield* rows.splice(0)
}

/** `AB12` → 27. */
function columnOf(reference: string): number | undefined {
  const letters = /^[A-Z]+/.exec(reference)?.[0]
  if (letters === undefined) return undefined
  let at = 0
  for (const letter of letters) at = at * 26 + letter.charCodeAt(0) - 64
  return at - 1
}

function shown(
  { type, style, text }: { type: string; style: number; text: string },
  { texts, dated, since1904 }: Workbook & { readonly texts: readonly string[] },
): string {
  if (type === 's') return texts[Number(text)] ?? ''
  if (type === 'b') return text === '1' ? 'true' : 'false'
  if (type !== 'n' || text === '') return unhidden(text)
  if (dated[style]) return dateOf(text, since1904)
  // Stored as the nearest binary fraction, 1.1 reads 1.1000000000000001.
  return Number.isFinite(Number(text)) ? new Decimal(Number(text)).toFixed() : text
}

/** Days since the end of 1899, which counts a 29 February 1900 that never was. */
function dateOf(text: string, since1904: boolean): string {
  const days = Number(text) + (since1904 ? 1_462 : 0)
  if (!Number.isFinite(days) || days < 0 || days > 2_958_466) return text
  const moment = new Date(Math.round((days - 25_569 + (days < 60 ? 1 : 0)) * 86_400) * 1_000).toISOString()
  if (days < 1) return moment.slice(11, 19)
  return Number.isInteger(days) ? moment.slice(0, 10) : moment.slice(0, 19)
}

interface Handlers {
  open?(tag: SaxesTagPlain): void
  text?(piece: string): void
  close?(name: string): void
}

function parserOf({ open, text, close }: Handlers): SaxesParser {
  const parser = new SaxesParser({ xmlns: false })
  parser.on('error', (error) => {
    throw damaged(error.message)
  })
  // Some programs write every name with a prefix.
  const bare = (name: string) => name.slice(name.indexOf(':') + 1)
  if (open) parser.on('opentag', (tag) => open({ ...tag, name: bare(tag.name) }))
  if (text) parser.on('text', text)
  if (close) parser.on('closetag', (tag) => close(bare(tag.name)))
  return parser
}

async function read(zip: ZipFile, entry: Entry | undefined, handlers: Handlers): Promise<void> {
  if (!entry) return
  const parser = parserOf(handlers)
  for await (const chunk of await stream(zip, entry)) parser.write(chunk)
  parser.close()
}

async function stream(zip: ZipFile, entry: Entry): Promise<AsyncIterable<string>> {
  const bytes: Readable = await zip.openReadStreamPromise(entry).catch(refuseDamaged)
  return ofArchive<string>(bytes.setEncoding('utf8'))
}
