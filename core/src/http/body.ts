import { bodyInvalid, payloadTooLarge } from './problem.ts'

/** Largest JSON body: 200 records of some kilobytes each. */
export const bodyLimit = 1_048_576
const limit = '1 MB'

/** Most that is read of a body, and how that is said. */
export interface BodyLimit {
  readonly bytes: number
  readonly limit: string
}

/**
 * Reads a JSON object; an absent body is an empty one.
 *
 * @throws `PAYLOAD_TOO_LARGE` (413) before the rest is read, `BODY_INVALID` (400)
 */
export async function readJson(request: Request, most?: BodyLimit): Promise<Record<string, unknown>> {
  const text = await readText(request, most)
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text, refuseUnkeepable)
  } catch (error) {
    if (error instanceof SyntaxError) throw bodyInvalid({ reason: 'syntax', value: error.message })
    throw error
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw bodyInvalid({ reason: 'kind', value: Array.isArray(value) ? '[…]' : text.trim().slice(0, 40) })
  return value as Record<string, unknown>
}

/** No database keeps half of a character (RFC 7493 section 2.1), in whatever place of a body it stands. */
function refuseUnkeepable(key: string, value: unknown): unknown {
  if (key === '__proto__') throw bodyInvalid({ reason: 'prototype', value: '' })
  const torn = [key, value].find((it): it is string => typeof it === 'string' && !it.isWellFormed())
  if (torn !== undefined) throw bodyInvalid({ reason: 'half', value: torn.toWellFormed().slice(0, 40) })
  return value
}

/**
 * Reads a body as text.
 *
 * @throws `PAYLOAD_TOO_LARGE` (413) before the rest is read, `BODY_INVALID` (400) when it is not UTF-8
 */
export async function readText(request: Request, most: BodyLimit = { bytes: bodyLimit, limit }): Promise<string> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > most.bytes) throw payloadTooLarge(most)
  // What says how long it is is held to it by the server: no stream has to be made of it to count.
  const bytes = length === null ? await readStream(request, most) : new Uint8Array(await request.arrayBuffer())
  if (bytes.byteLength > most.bytes) throw payloadTooLarge(most)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw bodyInvalid({ reason: 'encoding', value: '' })
  }
}

async function readStream(request: Request, most: BodyLimit): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > most.bytes) throw payloadTooLarge(most)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
