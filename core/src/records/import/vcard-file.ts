import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import iconv from 'iconv-lite'
import { importFileInvalid } from './errors.ts'
import { Columns, type FileRow, type ReadableFile } from './tables.ts'

/** One property of a card, e.g. `TEL;TYPE=cell:+33 6 12 34 56 78` (RFC 6350 section 3.3). */
interface Property {
  readonly name: string
  /** Its types, in small letters. */
  readonly types: ReadonlySet<string>
  readonly value: string
}

/** Head of the column a property's value goes to; nothing for what no record has. */
type Column = (property: Property, has: (head: string) => boolean) => readonly (readonly [head: string, text: string])[]

/** Parts of a structured value: `;` parts them, `\;` is text. */
const parts = (value: string) => value.split(/(?<!\\);/).map(unescaped)
const named = (heads: readonly string[], value: string) =>
  parts(value).flatMap((text, index) => (heads[index] && text !== '' ? [[heads[index], text] as const] : []))

const columns: Readonly<Record<string, Column>> = {
  UID: ({ value }) => [['uid', unescaped(value)]],
  FN: ({ value }) => [['name', unescaped(value)]],
  N: ({ value }) => named(['last name', 'first name'], value),
  ORG: ({ value }) => named(['account'], value),
  TITLE: ({ value }) => [['job title', unescaped(value)]],
  EMAIL: ({ value }, has) => [[free('email', has), unescaped(value)]],
  TEL: ({ value, types }, has) => {
    const text = unescaped(value).replace(/^tel:/i, '')
    return [[free(types.has('cell') || types.has('iphone') ? 'mobile' : 'phone', has), text]]
  },
  ADR: ({ value }, has) => {
    if (has('street') || has('city')) return []
    return named(['', '', 'street', 'city', 'region', 'postal code', 'country'], value)
  },
  BDAY: ({ value }) => [['birth date', dated(value)]],
  URL: ({ value }) => [['website', unescaped(value)]],
  LANG: ({ value }) => [['language', unescaped(value).slice(0, 2).toLowerCase()]],
  NOTE: ({ value }) => [['note', unescaped(value)]],
  CATEGORIES: ({ value }) => [['categories', unescaped(value)]],
}

/** `email`, then `email 2`, …: a card may have several of a kind. */
function free(head: string, has: (head: string) => boolean): string {
  if (!has(head)) return head
  let nth = 2
  while (has(`${head} ${nth}`)) nth += 1
  return `${head} ${nth}`
}

function unescaped(value: string): string {
  return value.replaceAll(/\\([nN,;:\\])/g, (_, sign: string) => (sign === 'n' || sign === 'N' ? '\n' : sign)).trim()
}

/** `19850403` as `1985-04-03`; a birthday without its year is no date. */
function dated(value: string): string {
  const digits = /^(\d{4})-?(\d{2})-?(\d{2})/.exec(value)
  return digits ? `${digits[1]}-${digits[2]}-${digits[3]}` : ''
}

/**
 * Cards of an address book, versions 3.0 (RFC 2426) and 4.0 (RFC 6350), one record each. Read twice, because any card
 * may have one more address than those before.
 *
 * @throws `IMPORT_FILE_INVALID` (422) where no card is whole
 */
export async function* vcardRecords(file: ReadableFile): AsyncGenerator<FileRow> {
  const all = new Columns()
  for await (const card of cardsOf(file)) all.take(card.keys())
  const header = all.header()
  if (header.length === 0) throw importFileInvalid({ reason: 'cards', line: 1, value: '' })
  yield { line: 1, cells: header, whole: true }
  let line = 0
  for await (const card of cardsOf(file)) {
    line += 1
    yield { line, cells: header.map((head) => card.get(head) ?? ''), whole: true }
  }
}

async function* cardsOf(file: ReadableFile): AsyncGenerator<Map<string, string>> {
  let card: Map<string, string> | undefined
  for await (const text of unfolded(file)) {
    const property = propertyOf(text)
    if (!property) continue
    const { name, value } = property
    if (name === 'BEGIN' && value.toUpperCase() === 'VCARD') card = new Map()
    else if (name === 'END' && card) {
      nameOnce(card)
      if (card.size > 0) yield card
      card = undefined
    } else if (card) {
      const into = card
      for (const [head, cell] of columns[name]?.(property, (it) => into.has(it)) ?? [])
        if (cell !== '' && !into.has(head)) into.set(head, cell)
    }
  }
}

/** The name as it is written out says again what its parts say; a card without them is found by it. */
function nameOnce(card: Map<string, string>): void {
  const written = card.get('name')
  card.delete('name')
  if (written !== undefined && !card.has('last name') && !card.has('first name')) card.set('last name', written)
}

/** Lines with their continuations, which begin with a space (RFC 6350 section 3.2). */
async function* unfolded({ path, encoding }: ReadableFile): AsyncGenerator<string> {
  let held = ''
  const input = createReadStream(path).pipe(iconv.decodeStream(encoding))
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (/^[ \t]/.test(line)) held += line.slice(1)
    else if (/ENCODING=QUOTED-PRINTABLE/i.test(held) && held.endsWith('=')) held = held.slice(0, -1) + line
    else {
      if (held !== '') yield held
      held = line
    }
    if (held.length > 1_000_000) held = held.slice(0, 1_000_000)
  }
  if (held !== '') yield held
}

function propertyOf(text: string): Property | undefined {
  const found = /^(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"]*"|[^":;])*)*):(.*)$/s.exec(text)
  if (!found) return undefined
  const [, name = '', parameters = '', value = ''] = found
  const types = parameters
    .toLowerCase()
    .split(';')
    .flatMap((it) =>
      it
        .replace(/^type=/, '')
        .replaceAll('"', '')
        .split(','),
    )
  const isQuoted = /quoted-printable/i.test(parameters)
  return { name: name.toUpperCase(), types: new Set(types), value: isQuoted ? printable(value) : value }
}

/** Quoted-printable, as cards of version 2.1 have it (RFC 2045 section 6.7). */
function printable(value: string): string {
  const bytes = value.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
