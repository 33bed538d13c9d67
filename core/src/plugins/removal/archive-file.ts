import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { createGunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import { pluginManifestSchema } from '../manifest.ts'
import { archiveFormatUnknown, archiveUnreadable } from './errors.ts'
import { grantLine } from './grants.ts'

const zipped = promisify(gzip)
const memberSize = 1_048_576
/** What PostgreSQL reads as one value of JSON at most; a longer line came from nowhere. */
const longestLine = 268_435_455
const format = 'socle-plugin-data@1'

const words = z.strictObject({ en: z.string().max(500), fr: z.string().max(500) })

/** What a plugin is called when its code is not there. */
export const aboutSchema = z.strictObject({
  title: words,
  summary: words.optional(),
  icon: z.string().max(60).optional(),
})
export type About = z.infer<typeof aboutSchema>

const head = z.strictObject({
  format: z.literal(format),
  plugin: pluginManifestSchema.shape.id,
  version: pluginManifestSchema.shape.version,
  about: aboutSchema,
  /** The one workspace whose data it is; all of them for null. */
  workspace: z.uuid().nullable(),
  at: z.iso.datetime(),
  /** Migrations that had made the tables, oldest first. */
  migrations: z.array(z.string()),
})
const begin = z.strictObject({ table: z.string(), columns: z.array(z.string()), own: z.boolean() })
const end = z.strictObject({ end: z.string(), rows: z.int(), sha256: z.string() })
const rest = z.strictObject({
  grants: z.array(grantLine),
  /** Where counters of the tables stood. */
  sequences: z.array(z.strictObject({ name: z.string(), last: z.string(), called: z.boolean() })),
})
const total = z.strictObject({ sha256: z.string() })

export type ArchiveHead = z.infer<typeof head>
export type ArchiveRest = z.infer<typeof rest>
/** Rows and the SHA-256 of their lines, each ended by a line feed. */
export interface Checksum {
  readonly rows: number
  readonly sha256: string
}
export type Checksums = Readonly<Record<string, Checksum>>

/** Counts lines and their SHA-256 as they pass. */
export class Counted {
  readonly #hash = createHash('sha256')
  #rows = 0

  add(lines: readonly string[]): void {
    for (const line of lines) this.#hash.update(line).update('\n')
    this.#rows += lines.length
  }

  get sum(): Checksum {
    return { rows: this.#rows, sha256: this.#hash.copy().digest('hex') }
  }
}

interface TableHead {
  readonly name: string
  readonly columns: readonly string[]
  /** One of the plugin's own, and not rows of the core's. */
  readonly own: boolean
}

export interface ArchivedTable extends TableHead {
  readonly lines: AsyncIterable<readonly string[]>
}

/** The one SHA-256 of an archive, over those of its tables and the lines before and behind them as they are written. */
function totalOf(first: string, checksums: Checksums, last: string): string {
  const hash = createHash('sha256')
  hash.update(`${first}\n`)
  for (const [name, { rows, sha256 }] of Object.entries(checksums)) hash.update(`${name} ${rows} ${sha256}\n`)
  return hash.update(last).digest('hex')
}

/**
 * An archive as it is written: gzipped lines of JSON. The first says what it is of; then come the tables, each with a line that
 * names its columns, a line for each row and a line with their number and SHA-256; then what stands beside the tables; then
 * the SHA-256 of it all.
 *
 * @param options.tables - read one after the other, as the file is written
 * @param options.done - is told the sums when the last byte is on its way
 */
export async function* writeArchive(
  first: ArchiveHead,
  {
    tables,
    last,
    done,
  }: {
    readonly tables: readonly ArchivedTable[]
    readonly last: ArchiveRest
    readonly done: (checksums: Checksums, sha256: string) => void
  },
): AsyncGenerator<Buffer> {
  const checksums: Record<string, Checksum> = {}
  let text = ''
  // Members of a gzip file stand one behind the other (RFC 1952 section 2.2), so each is made when it is asked for: nothing is
  // read ahead on a connection that also writes.
  const member = async (): Promise<Buffer> => {
    const bytes = await zipped(text)
    text = ''
    return bytes
  }
  const [firstLine, lastLine] = [JSON.stringify(first), JSON.stringify(last)]
  text += `${firstLine}\n`
  for (const { name, columns, own, lines } of tables) {
    text += `${JSON.stringify({ table: name, columns, own })}\n`
    const counted = new Counted()
    for await (const some of lines) {
      counted.add(some)
      text += `${some.join('\n')}\n`
      if (text.length >= memberSize) yield await member()
    }
    checksums[name] = counted.sum
    text += `${JSON.stringify({ end: name, ...counted.sum })}\n`
  }
  const sha256 = totalOf(firstLine, checksums, lastLine)
  text += `${lastLine}\n${JSON.stringify({ sha256 })}\n`
  yield await member()
  done(checksums, sha256)
}

/** What a reader of an archive is handed, in the order of the file. */
export interface ArchiveReader {
  readonly begin?: (head: ArchiveHead) => void
  /** A table begins, which may have no row. */
  readonly table?: (table: TableHead) => void
  readonly rows?: (table: TableHead, lines: readonly string[]) => Promise<void>
  readonly end?: (last: ArchiveRest) => void
}

const atOnce = 500
const charactersAtOnce = 8 * 1_048_576

/**
 * Reads an archive to its end and holds every table, and all of it, against the sums written beside them.
 *
 * @returns the sums
 * @throws `ARCHIVE_FORMAT_UNKNOWN` (422) for what begins as no archive does, `ARCHIVE_UNREADABLE` (422) at the first place that
 *   is not what was written
 */
export async function readArchiveFile(
  content: AsyncIterable<Uint8Array>,
  { begin: onBegin, table: onTable, rows: onRows, end: onEnd }: ArchiveReader = {},
): Promise<{ readonly checksums: Checksums; readonly sha256: string }> {
  let isZipped: boolean | undefined
  const noted = async function* () {
    for await (const bytes of content) {
      // How every gzip file begins (RFC 1952 section 2.3.1).
      isZipped ??= bytes[0] === 0x1f && bytes[1] === 0x8b
      yield bytes
    }
  }
  const source = Readable.from(noted())
  const unzipped = createGunzip()
  source.on('error', (error) => unzipped.destroy(error))
  const checksums: Record<string, Checksum> = {}
  let first: ArchiveHead | undefined
  let table: z.infer<typeof begin> | undefined
  let counted = new Counted()
  let held: string[] = []
  let characters = 0
  let last: ArchiveRest | undefined
  let firstLine = ''
  let lastLine = ''
  let sum: string | undefined
  const flush = async () => {
    if (!table || held.length === 0) return
    const lines = held
    held = []
    characters = 0
    counted.add(lines)
    await onRows?.({ name: table.table, columns: table.columns, own: table.own }, lines)
  }
  try {
    for await (const line of linesIn(source.pipe(unzipped))) {
      if (sum !== undefined) throw archiveUnreadable({ place: 'its end' })
      if (line.startsWith('[') && table) {
        held.push(line)
        characters += line.length
        if (held.length >= atOnce || characters >= charactersAtOnce) await flush()
        continue
      }
      const value: unknown = JSON.parse(line)
      if (!first) {
        first = head.parse(value)
        firstLine = line
        onBegin?.(first)
      } else if (table) {
        await flush()
        const { end: name, ...said } = end.parse(value)
        const { rows, sha256 } = counted.sum
        if (name !== table.table || said.rows !== rows || said.sha256 !== sha256)
          throw archiveUnreadable({ place: table.table })
        checksums[name] = said
        table = undefined
      } else if (last) {
        sum = total.parse(value).sha256
      } else if (begin.safeParse(value).success) {
        table = begin.parse(value)
        if (Object.hasOwn(checksums, table.table)) throw archiveUnreadable({ place: table.table })
        onTable?.({ name: table.table, columns: table.columns, own: table.own })
        counted = new Counted()
      } else {
        last = rest.parse(value)
        lastLine = line
      }
    }
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof SyntaxError || error instanceof RangeError || isZip(error)))
      throw error
    if (!first && !(isZip(error) && isZipped)) throw archiveFormatUnknown({ format })
    throw archiveUnreadable({ place: table?.table ?? 'its beginning' })
  }
  if (!first || !last || sum === undefined || sum !== totalOf(firstLine, checksums, lastLine))
    throw archiveUnreadable({ place: 'its end' })
  onEnd?.(last)
  return { checksums, sha256: sum }
}

/**
 * The lines of a text, each ended by a line feed. A fault of the stream is thrown to whoever reads.
 *
 * @throws RangeError for a line that no archive holds
 */
async function* linesIn(content: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let begun: string[] = []
  let length = 0
  for await (const bytes of content) {
    const lines = decoder.decode(bytes, { stream: true }).split('\n')
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      yield begun.length > 0 ? [...begun, line].join('') : line
      begun = []
      length = 0
    }
    if (rest !== '') begun.push(rest)
    length += rest.length
    if (length > longestLine) throw new RangeError('A line is longer than any of an archive.')
  }
  if (begun.length > 0) yield begun.join('')
}

function isZip(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && code.startsWith('Z_')
}
