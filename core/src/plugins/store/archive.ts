import { createHash } from 'node:crypto'
import { Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { createTarDecoder } from 'modern-tar'
import { z } from 'zod'
import type { Locale } from '../../actor.ts'
import { schemaOf } from '../../database/migrator.ts'
import { SocleError } from '../../errors.ts'
import { wordFaults } from '../../word-faults.ts'
import { localeOf } from '../../words.ts'
import { foreignOffer } from '../check-plugins.ts'
import { pluginManifestSchema } from '../manifest.ts'
import { claimantOf } from './claimant.ts'
import { archiveRefused, pluginIdReserved, pluginIntegrityFailed, wordsRefused } from './errors.ts'
import { signatureSchema, verifiedSigner } from './signature.ts'

/** Largest archive, as it is sent. */
export const uploadLimit = 20 * 1_048_576
const unpackedLimit = 50 * 1_048_576
// Heads and padding of the files themselves.
const tarLimit = unpackedLimit + 8 * 1_048_576
const fileLimit = 2_000
const listedFaults = 10

const messagesSchema = z.record(z.string(), z.string())

const filePath = z
  .string()
  .max(200)
  .regex(/^[\w@][\w.@-]*(?:\/[\w@][\w.@-]*)*$/)

const packageName = z.string().regex(/^(?:@[a-z0-9-][a-z0-9._-]*\/)?[a-z0-9-][a-z0-9._-]*$/)

/** `manifest.json` of an archive: what the plugin declares, and what the archive holds. */
export const archiveManifestSchema = pluginManifestSchema.extend({
  /** Name of its package, by which others import its contract. */
  package: packageName,
  /** Module of its server code. */
  main: filePath,
  /** Folder of its migrations, of its words; module of its screens. */
  migrations: filePath.optional(),
  i18n: filePath.optional(),
  ui: filePath.optional(),
  /** Packages of other plugins whose contracts it imports. */
  peers: z.array(packageName).max(200),
  /** `sha512-` and base64 of every other file (W3C Subresource Integrity). */
  files: z.record(filePath, z.string()),
})
export type ArchiveManifest = z.infer<typeof archiveManifestSchema>

/** An archive that was read whole and is what its maker packed. None of its code has run. */
export interface PluginArchive {
  readonly manifest: ArchiveManifest
  /** Those the manifest names, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Public key it was signed with, base64 of its SubjectPublicKeyInfo. */
  readonly signer: string | undefined
  /** Its words by key, which say what its own things are called. */
  readonly words: Readonly<Record<Locale, Readonly<Record<string, string>>>>
}

/** Names that mean something else in an address, a database or among the words of the screens. */
const reserved = new Set(['core', 'kit', 'shell', 'auth', 'public', 'jobs', 'pgboss', 'information-schema'])

/** `sha512-` and base64, as W3C Subresource Integrity writes it. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

/**
 * Reads an archive without writing or running anything of it. It is unpacked as a stream that ends at the first byte too
 * many, so that a small file that unpacks to gigabytes costs no more than the limit.
 *
 * @throws `ARCHIVE_REFUSED`, `PLUGIN_INTEGRITY_FAILED`, `PLUGIN_ID_RESERVED`, `OFFER_FOREIGN`, `WORDS_REFUSED` (all 422)
 */
export async function readArchive(bytes: Uint8Array): Promise<PluginArchive> {
  const files = await unpacked(bytes)
  const head = files.get('manifest.json')
  const manifest = head && archiveManifestSchema.safeParse(parsedJson(head))
  if (!manifest?.success) {
    const [issue] = manifest?.error.issues ?? []
    throw archiveRefused({ reason: 'manifest', entry: issue ? `${issue.path.join('.')}: ${issue.message}` : 'none' })
  }
  const { id: plugin, files: listed, main, ui, i18n, tables } = manifest.data
  if (reserved.has(plugin) || plugin.startsWith('pg-')) throw pluginIdReserved({ plugin })
  const signature = files.get('signature.json')
  for (const path of files.keys()) {
    if (path !== 'manifest.json' && path !== 'signature.json' && !Object.hasOwn(listed, path))
      throw pluginIntegrityFailed({ plugin, what: path })
  }
  for (const [path, integrity] of Object.entries(listed)) {
    const file = files.get(path)
    if (!file || integrityOf(file) !== integrity) throw pluginIntegrityFailed({ plugin, what: path })
  }
  const foreign = tables.find(({ schema }) => schema !== schemaOf(plugin))
  if (foreign) throw archiveRefused({ reason: 'manifest', entry: `tables: ${foreign.schema}.${foreign.table}` })
  const refusal = foreignOffer(claimantOf(manifest.data))
  if (refusal) throw refusal
  for (const path of [main, ui])
    if (path !== undefined && !files.has(path)) throw pluginIntegrityFailed({ plugin, what: path })
  const words = wordsIn(plugin, i18n, files)
  const signer = signature && verifiedSigner(signatureSchema.safeParse(parsedJson(signature)).data, head as Uint8Array)
  if (signature && signer === undefined) throw pluginIntegrityFailed({ plugin, what: 'manifest.json' })
  return { manifest: manifest.data, files, signer, words }
}

/** @throws `WORDS_REFUSED` (422): whoever reads the language that lacks one would read a key */
function wordsIn(
  plugin: string,
  folder: string | undefined,
  files: ReadonlyMap<string, Uint8Array>,
): PluginArchive['words'] {
  const words: Record<Locale, Record<string, string>> = { en: {}, fr: {} }
  if (folder === undefined) return words
  for (const [path, bytes] of files) {
    const locale = path.startsWith(`${folder}/`) ? localeOf(path) : undefined
    if (!locale) continue
    const messages = messagesSchema.safeParse(parsedJson(bytes))
    if (!messages.success) throw archiveRefused({ reason: 'words', entry: path })
    Object.assign(words[locale], messages.data)
  }
  const faults = wordFaults(words).map(({ key, locale, fault }) => `${locale}.json ${key} (${fault})`)
  const more = faults.length - listedFaults
  if (faults.length > 0)
    throw wordsRefused({
      plugin,
      faults: [...faults.slice(0, listedFaults), ...(more > 0 ? [`+ ${more}`] : [])].join(', '),
    })
  return words
}

async function unpacked(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  if (bytes.byteLength > uploadLimit) throw archiveRefused({ reason: 'upload', entry: 'none' })
  const files = new Map<string, Uint8Array>()
  let size = 0
  try {
    const tar = Readable.from([bytes])
      .pipe(createGunzip())
      .on('error', (error) => limited.destroy(error))
    const limited: Transform = tar.pipe(limitedTo(tarLimit))
    const entries = (Readable.toWeb(limited) as ReadableStream<Uint8Array>).pipeThrough(
      createTarDecoder({ strict: true }),
    )
    for await (const { header, body } of entries as unknown as AsyncIterable<TarEntry>) {
      const { name, type = 'file' } = header
      if (type === 'symlink' || type === 'link') throw archiveRefused({ reason: 'link', entry: name })
      if (type !== 'file' && type !== 'directory') throw archiveRefused({ reason: 'device', entry: name })
      const path = type === 'directory' ? name.replace(/\/$/, '') : name
      if (!filePath.safeParse(path).success) throw archiveRefused({ reason: 'path', entry: name.slice(0, 200) })
      if (files.has(path)) throw archiveRefused({ reason: 'twice', entry: name })
      if (files.size >= fileLimit) throw archiveRefused({ reason: 'count', entry: 'none' })
      size += header.size
      if (size > unpackedLimit) throw archiveRefused({ reason: 'size', entry: name })
      const content = Buffer.concat(await Array.fromAsync(body as unknown as AsyncIterable<Uint8Array>))
      if (type === 'file') files.set(path, content)
    }
  } catch (error) {
    if (error instanceof SocleError) throw error
    throw archiveRefused({ reason: 'format', entry: (error instanceof Error && error.message) || 'none' })
  }
  return files
}

interface TarEntry {
  readonly header: { readonly name: string; readonly type?: string; readonly size: number }
  readonly body: ReadableStream<Uint8Array>
}

function limitedTo(most: number): Transform {
  let size = 0
  return new Transform({
    transform(chunk: Uint8Array, _, done) {
      size += chunk.byteLength
      if (size > most) done(archiveRefused({ reason: 'size', entry: 'none' }))
      else done(null, chunk)
    },
  })
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
