import { bodyInvalid } from './problem.ts'

/** One part of a form. Its body must be read before the next part is asked for. */
export interface FormPart {
  readonly name: string
  /** Name of the file on the sender's disk, without folders; undefined for a plain field. */
  readonly fileName: string | undefined
  readonly body: AsyncIterable<Buffer>
}

const longestHead = 16_384
const endOfHead = Buffer.from('\r\n\r\n')

/**
 * The parts of a `multipart/form-data` body as they arrive, so that a file of any size passes through without being
 * held (RFC 7578). `Request.formData()` would keep all of it in memory.
 *
 * @returns undefined when the request is no form
 * @throws `BODY_INVALID` (400) when the body breaks off or has no such parts
 */
export function formParts(request: Request): AsyncGenerator<FormPart> | undefined {
  const boundary = /^multipart\/form-data\b.*\bboundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(
    request.headers.get('content-type') ?? '',
  )
  const text = boundary?.[1] ?? boundary?.[2]
  if (text === undefined || !request.body) return undefined
  return partsOf(request.body as unknown as AsyncIterable<Uint8Array>, Buffer.from(`\r\n--${text}`))
}

/** A form's one file, `file`, or a body that is it, as it arrives; undefined where neither was sent. */
export async function fileOf(request: Request): Promise<AsyncIterable<Uint8Array> | undefined> {
  const parts = formParts(request)
  if (!parts) return (request.body as unknown as AsyncIterable<Uint8Array> | null) ?? undefined
  for await (const { name, body } of parts) if (name === 'file') return body
  return undefined
}

async function* partsOf(body: AsyncIterable<Uint8Array>, delimiter: Buffer): AsyncGenerator<FormPart> {
  const scanner = new Scanner(body)
  await drain(scanner.until(delimiter))
  for (;;) {
    if ((await scanner.peek(2)).toString('latin1') === '--') return
    const head = (await gathered(scanner.until(endOfHead, longestHead))).toString('utf8')
    const part = scanner.until(delimiter)
    yield { ...described(head), body: part }
    await drain(part)
  }
}

async function gathered(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function drain(body: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of body);
}

function described(head: string): Pick<FormPart, 'name' | 'fileName'> {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ''
  const value = (key: string) =>
    new RegExp(`;\\s*${key}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(disposition)?.[1]?.replaceAll(/%22|\\"/g, '"')
  const name = value('name')
  if (name === undefined) throw bodyInvalid({ reason: 'part_unnamed', value: '' })
  return { name, fileName: value('filename')?.split(/[\\/]/).at(-1) }
}

/** Looks for byte sequences in a stream, across the borders of its chunks. */
class Scanner {
  readonly #chunks: AsyncIterator<Uint8Array>
  // The first delimiter has no line end before it.
  #held: Buffer = Buffer.from('\r\n')

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]()
  }

  /** All bytes before `mark`, and passes over it. */
  async *until(mark: Buffer, most = Infinity): AsyncGenerator<Buffer> {
    let given = 0
    for (;;) {
      const at = this.#held.indexOf(mark)
      const end = at >= 0 ? at : Math.max(0, this.#held.length - mark.length + 1)
      const piece = this.#held.subarray(0, end)
      this.#held = this.#held.subarray(at >= 0 ? at + mark.length : end)
      given += piece.length
      if (given > most) throw bodyInvalid({ reason: 'part_long', value: '' })
      if (piece.length > 0) yield piece
      if (at >= 0) return
      await this.#more()
    }
  }

  async peek(count: number): Promise<Buffer> {
    while (this.#held.length < count) await this.#more()
    return this.#held.subarray(0, count)
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (done) throw bodyInvalid({ reason: 'broken_off', value: '' })
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, value]) : Buffer.from(value)
  }
}
