import { createPublicKey, sign, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { integrityOf, manifestOf, readArchive, type ArchiveManifest } from '@socle/core'
import { packTar } from 'modern-tar'
import { bundleScreens, bundleServer, type Bundle } from './bundle.ts'
import { packageOf } from './package-of.ts'

export interface PackOptions {
  /** Folder of the plugin's package. */
  readonly folder: string
  /** Private Ed25519 key to sign with. */
  readonly key?: KeyObject
}

/** What goes along as it is, for people who look into the archive. */
const papers = ['README.md', 'LICENSE']

/**
 * Packs a plugin for installing it elsewhere: its code with all it depends on, its screens as they are served, migrations,
 * words, and a manifest that says all of it as data. The same sources give the same bytes.
 *
 * @returns a gzipped tar
 * @throws an Error that says what the package lacks, or the bundler's with the file and line it names
 */
export async function packPlugin({ folder, key }: PackOptions): Promise<Uint8Array> {
  const source = await packageOf(folder)
  const { plugin, name, contract } = source
  const server = await bundleServer(source)
  const screens = await bundleScreens(source)
  const files = new Map<string, Uint8Array>([
    ...server.files,
    ...screens.files,
    ...(await filesIn('migrations', plugin.migrations, '.sql')),
    ...(await filesIn('i18n', plugin.i18n, '.json')),
  ])
  for (const paper of papers) if (existsSync(join(folder, paper))) files.set(paper, await readFile(join(folder, paper)))
  const doors = {
    '.': './server/plugin.js',
    ...(contract === undefined ? {} : { './contract': './server/contract.js' }),
  }
  files.set('package.json', json({ name, version: plugin.version, type: 'module', exports: doors }))
  const manifest: ArchiveManifest = {
    ...manifestOf(plugin),
    package: name,
    main: 'server/plugin.js',
    ...(plugin.migrations ? { migrations: 'migrations' } : {}),
    ...(plugin.i18n ? { i18n: 'i18n' } : {}),
    ...(screens.entry === undefined ? {} : { ui: screens.entry }),
    peers: [...server.peers],
    files: Object.fromEntries(sorted(files).map(([path, bytes]) => [path, integrityOf(bytes)])),
  }
  files.set('manifest.json', json(manifest))
  return archiveOf(files, key)
}

/** Signs an archive that is packed already; a signature it had is replaced. */
export async function signPlugin(archive: Uint8Array, key: KeyObject): Promise<Uint8Array> {
  const { manifest, files } = await readArchive(archive)
  const named = Object.keys(manifest.files).map((path) => [path, files.get(path) as Uint8Array] as const)
  return archiveOf(new Map([...named, ['manifest.json', files.get('manifest.json') as Uint8Array]]), key)
}

async function archiveOf(files: Bundle, key: KeyObject | undefined): Promise<Uint8Array> {
  const all = new Map(files)
  if (key) all.set('signature.json', json(signatureOf(all.get('manifest.json') as Uint8Array, key)))
  const tar = await packTar(
    sorted(all).map(([path, body]) => ({
      header: { name: path, size: body.byteLength, mode: 0o644, mtime: new Date(0) },
      body,
    })),
  )
  const archive = await promisify(gzip)(tar, { level: 9 })
  // Whoever installs it reads it by the same rules: what they would refuse is refused here.
  await readArchive(archive)
  return archive
}

function signatureOf(manifest: Uint8Array, key: KeyObject) {
  return {
    algorithm: 'ed25519',
    key: createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64'),
    signature: sign(null, manifest, key).toString('base64'),
  }
}

async function filesIn(to: string, folder: URL | undefined, ending: string): Promise<[string, Uint8Array][]> {
  if (!folder) return []
  const path = fileURLToPath(folder)
  const names = (await readdir(path)).filter((file) => file.endsWith(ending))
  return Promise.all(names.map(async (file) => [`${to}/${file}`, await readFile(join(path, file))] as [string, Buffer]))
}

function sorted(files: Bundle): [string, Uint8Array][] {
  return [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function json(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`)
}
