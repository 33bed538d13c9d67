import { isAscii, isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { analyse } from 'chardet'
import iconv from 'iconv-lite'
import { fileTypeRefused, importFileInvalid, type FileFault } from './errors.ts'
import { readers } from './readers.ts'
import type { FileShape } from './tables.ts'

const headSize = 262_144
const delimiters = [',', ';', '\t', '|']
const sampleRecords = 60

const refuse = (reason: FileFault, line = 1, value = '') => importFileInvalid({ reason, line, value })

/**
 * Finds out what a file is and how it is read, from what is in it: a name says nothing.
 *
 * @throws `FILE_TYPE_REFUSED` (415), `IMPORT_FILE_INVALID` (422) for an empty file and one that breaks its own encoding
 */
export async function sniff(path: string): Promise<FileShape> {
  const head = await readHead(path)
  if (head.length === 0) throw refuse('empty')
  const whole = readers.find(({ isText, knows }) => !isText && knows({ bytes: head, text: '' }))
  if (whole) return { format: whole.id, encoding: 'utf-8', delimiter: '', skippedLines: 0 }
  const encoding = markedEncoding(head) ?? (await guessEncoding(path, head))
  const text = iconv.decode(head, encoding)
  if (text.trim() === '') throw refuse('empty')
  const format = readers.find(({ isText, knows }) => isText && knows({ bytes: head, text }))?.id ?? 'csv'
  if (format !== 'csv') return { format, encoding, delimiter: '', skippedLines: 0 }
  // Excel's own way of telling the delimiter.
  const told = /^sep=(.)\r?\n/i.exec(text)
  if (told?.[1] !== undefined) return { format, encoding, delimiter: told[1], skippedLines: 1 }
  return {
    format,
    encoding,
    delimiter: delimiterOf(head.length < headSize ? text : wholeLines(text)),
    skippedLines: 0,
  }
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headSize), 0, headSize, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const startsWith = (head: Buffer, ...bytes: number[]) => bytes.every((byte, index) => head[index] === byte)

/** By byte-order mark; refuses what begins like another kind of file. */
function markedEncoding(head: Buffer): string | undefined {
  if (startsWith(head, 0xff, 0xfe, 0, 0) || startsWith(head, 0, 0, 0xfe, 0xff)) throw notText()
  if (startsWith(head, 0xff, 0xfe)) return 'utf-16le'
  if (startsWith(head, 0xfe, 0xff)) return 'utf-16be'
  for (const [kind, ...bytes] of others) if (startsWith(head, ...bytes)) throw fileTypeRefused({ kind })
  return undefined
}

/** What people take for a table, with how it begins. */
const others: readonly (readonly [kind: string, ...bytes: number[]])[] = [
  ['an old Office file', 0xd0, 0xcf, 0x11, 0xe0],
  ['a gzip archive', 0x1f, 0x8b],
  ['a ZIP archive', 0x50, 0x4b],
  ['a PDF', 0x25, 0x50, 0x44, 0x46],
  ['a picture', 0x89, 0x50, 0x4e, 0x47],
  ['a picture', 0xff, 0xd8, 0xff],
  ['a picture', 0x47, 0x49, 0x46, 0x38],
]

const notText = () => fileTypeRefused({ kind: 'no text' })

async function guessEncoding(path: string, head: Buffer): Promise<string> {
  if (zeroShare(head) > 0.01) return wideEncoding(head)
  if (controlShare(head) > 0.02) throw notText()
  const fault = await firstFault(path)
  if (!fault) return 'utf-8'
  const marked = startsWith(head, 0xef, 0xbb, 0xbf)
  // A text that is UTF-8 all over but in one place was broken on its way; read as anything else, all of it would be.
  if (marked || isMostlyUtf8(fault.around)) throw refuse('encoding', fault.line)
  const [first] = analyse(fault.around)
  // On few bytes the guesses among one-byte encodings are little more than dice.
  if (first && first.confidence >= 90 && !first.name.startsWith('ISO-8859') && iconv.encodingExists(first.name))
    return first.name.toLowerCase()
  return 'windows-1252'
}

/** UTF-16 without its mark: in Western text every other byte is 0. */
function wideEncoding(head: Buffer): string {
  let even = 0
  let odd = 0
  for (let index = 0; index < head.length; index += 1) {
    if (head[index] !== 0) continue
    if (index % 2 === 0) even += 1
    else odd += 1
  }
  const half = head.length / 2
  if (odd > half * 0.6 && even < half * 0.05) return 'utf-16le'
  if (even > half * 0.6 && odd < half * 0.05) return 'utf-16be'
  throw notText()
}

function zeroShare(head: Buffer): number {
  let zeros = 0
  for (const byte of head) if (byte === 0) zeros += 1
  return zeros / head.length
}

/** Whether most lines with letters beyond ASCII are UTF-8: a line of another encoding hardly ever is by chance. */
function isMostlyUtf8(bytes: Buffer): boolean {
  let [right, wrong] = [0, 0]
  for (const line of linesOf(bytes)) {
    if (isAscii(line)) continue
    if (isUtf8(line)) right += 1
    else wrong += 1
  }
  return right > wrong
}

function controlShare(head: Buffer): number {
  let controls = 0
  for (const byte of head)
    if (byte < 32 && byte !== 0 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12) controls += 1
  return controls / head.length
}

/** Where a file stops being UTF-8, with the bytes around; reads all of it, because the first accent may be its last word. */
async function firstFault(path: string): Promise<{ line: number; around: Buffer } | undefined> {
  let line = 1
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: headSize }) as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const end = bytes.lastIndexOf(10) + 1
    const whole = bytes.subarray(0, end)
    if (!isUtf8(whole)) return { line: line + lineOfFault(whole), around: whole }
    line += countLines(whole)
    rest = bytes.subarray(end)
    // A line of megabytes is no line of a table; what it is, its reader will say.
    if (rest.length > 4 * headSize) return isUtf8(trimmed(rest)) ? undefined : { line, around: rest }
  }
  return isUtf8(rest) ? undefined : { line, around: rest }
}

/** Without a character that was cut off. */
function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes.length - end < 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, Math.max(0, end - 1))
}

function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1
  return lines
}

function lineOfFault(bytes: Buffer): number {
  let line = 0
  for (const text of linesOf(bytes)) {
    if (!isUtf8(text)) return line
    line += 1
  }
  return line
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, start)) {
    yield bytes.subarray(start, at)
    start = at + 1
  }
  if (start < bytes.length) yield bytes.subarray(start)
}

function wholeLines(text: string): string {
  const end = text.lastIndexOf('\n')
  return end > 0 ? text.slice(0, end) : text
}

/** The sign that cuts most records into the same number of cells, more than one. */
export function delimiterOf(text: string): string {
  let best = { delimiter: ',', score: 0 }
  for (const delimiter of delimiters) {
    const widths = cellCounts(text, delimiter)
    const [header = 1] = widths
    if (header < 2) continue
    const score = widths.filter((width) => width === header).length / widths.length + header / 1_000
    if (score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

/** Cells of the first records, as a reader of CSV counts them: delimiters and line ends in quotes are text. */
function cellCounts(text: string, delimiter: string): number[] {
  const counts: number[] = []
  let quoted = false
  let cells = 1
  let blank = true
  for (const sign of text) {
    if (sign === '"') quoted = !quoted
    else if (!quoted && sign === delimiter) cells += 1
    else if (!quoted && sign === '\n') {
      if (!blank) counts.push(cells)
      cells = 1
      blank = true
      if (counts.length === sampleRecords) return counts
      continue
    }
    if (sign !== '\r') blank = false
  }
  if (!blank) counts.push(cells)
  return counts
}

const names: Readonly<Record<string, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16',
  'windows-1252': 'Windows-1252',
}

/** How an encoding is called on screens. */
export function nameOfEncoding(encoding: string): string {
  return names[encoding] ?? encoding.toUpperCase()
}
