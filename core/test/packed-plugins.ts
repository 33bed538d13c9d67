import type { KeyObject } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { packPlugin } from '@socle/sdk/pack'
import { packTar } from 'modern-tar'
import { readArchive } from '../src/plugins/store/archive.ts'

const repository = resolve(import.meta.dirname, '../..')

export interface Variation {
  readonly version?: string
  /** Texts replaced in files of the package, by path: `['src/plugin.ts', 'requires: {}', 'requires: { sales: "^9.0.0" }']`. */
  readonly edits?: readonly (readonly [path: string, from: string, to: string])[]
  /** Further files by path. */
  readonly files?: Readonly<Record<string, string>>
  readonly key?: KeyObject
}

/** `examples/third-party` as its maker packs it, or another version of it. */
export async function packedBadges({
  version = '1.0.0',
  edits = [],
  files = {},
  key,
}: Variation = {}): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'socle-badges-'))
  try {
    await cp(join(repository, 'examples/third-party'), folder, {
      recursive: true,
      filter: (path) => !/\/(?:node_modules|dist)$/.test(path),
    })
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'))
    const versions = [
      ['package.json', '"version": "1.0.0"', `"version": "${version}"`],
      ['src/plugin.ts', "version: '1.0.0'", `version: '${version}'`],
    ] as const
    for (const [path, from, to] of [...versions, ...edits]) {
      const text = await readFile(join(folder, path), 'utf8')
      if (!text.includes(from)) throw new Error(`${path} of the example does not hold ${from}`)
      await writeFile(join(folder, path), text.replace(from, to))
    }
    for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text)
    return Buffer.from(await packPlugin({ folder, ...(key ? { key } : {}) }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export interface ArchiveEntry {
  readonly header: Parameters<typeof packTar>[0][number]['header']
  readonly body?: Uint8Array | string
}

/** A gzipped tar of any entries, also such as `socle-plugin pack` never makes. */
export async function archiveOf(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  return promisify(gzip)(await packTar(entries.map(({ header, body }) => ({ header, ...(body ? { body } : {}) }))))
}

/** The files of an archive as entries, to be altered and packed again. */
export async function entriesOf(archive: Uint8Array): Promise<ArchiveEntry[]> {
  const { files } = await readArchive(archive)
  return [...files].map(([name, body]) => ({ header: { name, size: body.byteLength }, body }))
}

/** The same entries with other contents of one file. */
export function altered(entries: readonly ArchiveEntry[], name: string, body: string): ArchiveEntry[] {
  return entries.map((entry) =>
    entry.header.name === name ? { header: { ...entry.header, size: Buffer.byteLength(body) }, body } : entry,
  )
}
