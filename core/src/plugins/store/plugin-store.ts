import { randomUUID } from 'node:crypto'
import {
  access,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sql } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../database/database.ts'
import { isPlugin, type PluginDefinition } from '../define-plugin.ts'
import { manifestMismatch } from '../errors.ts'
import { importModule } from '../import-module.ts'
import { firstDifference, inFirstFormat, manifestOf, pluginManifestSchema } from '../manifest.ts'
import type { PluginSource } from '../plugin-source.ts'
import { integrityOf, readArchive, type ArchiveManifest } from './archive.ts'
import { artefactOf, type StoredPlugin } from './artefacts.ts'
import { pluginIntegrityFailed, sdkCopied } from './errors.ts'
import { rememberArchive } from './provenance.ts'
import { demandSigner, type SignaturePolicy } from './signature.ts'

export interface StoreOptions {
  /** Folder of this machine where archives are unpacked: `<SOCLE_DATA>/plugins`. */
  readonly folder: string
  readonly signatures: SignaturePolicy
}

type Content = Pick<StoredPlugin, 'id' | 'version' | 'integrity' | 'manifest'>

const sdk = '@socle/sdk'
const packages = 'node_modules'
const openFiles = 32

/**
 * Plugins that came as archives: kept in the database, unpacked on each machine, and held against what was packed whenever
 * their code is loaded.
 */
export class PluginStore {
  readonly #database: Database
  readonly #clock: Clock
  readonly #folder: string
  readonly #signatures: SignaturePolicy
  readonly #unpacking = new Map<string, Promise<string>>()

  constructor(
    { database, clock }: { readonly database: Database; readonly clock: Clock },
    { folder, signatures }: StoreOptions,
  ) {
    this.#database = database
    this.#clock = clock
    this.#folder = resolve(folder)
    this.#signatures = signatures
  }

  /** @throws `PLUGIN_UNSIGNED` (422) */
  demandSigner(plugin: string, signer: string | undefined): void {
    demandSigner(plugin, signer, this.#signatures)
  }

  /** What an administrator calls a signer; the key itself where nobody trusts it. */
  nameOf(signer: string): { readonly name: string; readonly trusted: boolean } {
    const name = this.#signatures.signers.get(signer)
    return { name: name ?? signer, trusted: name !== undefined }
  }

  /** How a plugin of the store is loaded in this process. */
  source(stored: StoredPlugin): PluginSource {
    return { id: stored.id, from: 'store', load: () => this.#load(stored) }
  }

  /**
   * A file of a plugin's screens, when it is what was packed.
   *
   * @param path - in its archive, below `ui/`
   */
  async asset(content: Content, path: string): Promise<Buffer | undefined> {
    const integrity = path.startsWith('ui/') ? content.manifest.files[path] : undefined
    if (integrity === undefined) return undefined
    const bytes = await readFile(join(await this.#unpacked(content), path))
    return integrityOf(bytes) === integrity ? bytes : undefined
  }

  async #load(stored: StoredPlugin): Promise<PluginDefinition> {
    const { id, manifest, signer } = stored
    this.demandSigner(id, signer ?? undefined)
    const folder = await this.#unpacked(stored)
    await verifyFolder(folder, manifest)
    await this.#linkPackages(manifest.peers)
    const module = await importModule(pathToFileURL(join(folder, manifest.main)))
    const plugin = Object.values(module).find(isPlugin)
    if (!plugin) throw sdkCopied({ plugin: id })
    demandSame(manifest, plugin)
    const at = (path: string) => pathToFileURL(`${join(folder, path)}/`)
    const located: PluginDefinition = {
      ...plugin,
      root: at(''),
      ...(manifest.migrations === undefined ? {} : { migrations: at(manifest.migrations) }),
      ...(manifest.i18n === undefined ? {} : { i18n: at(manifest.i18n) }),
    }
    return rememberArchive(located, stored)
  }

  /**
   * Takes away folders that nobody needs and nobody on this machine has used since. Each process marks those it runs as used.
   *
   * @param running - what this process runs
   * @param kept - versions that are needed all the same
   * @param before - instant since which one must have been used to stay
   */
  async sweep({
    running,
    kept,
    before,
  }: {
    readonly running: readonly Content[]
    readonly kept: readonly Pick<Content, 'id' | 'version' | 'integrity'>[]
    readonly before: Date
  }): Promise<void> {
    const needed = new Set([...running, ...kept].map((it) => this.#folderOf(it)))
    for (const content of running) {
      await this.#markUsed(this.#folderOf(content))
      for (const peer of content.manifest.peers) {
        const linked = await readlink(this.#linkOf(peer)).catch(() => undefined)
        if (linked !== undefined) needed.add(linked)
      }
    }
    const plugins = await readdir(this.#folder).catch(() => [])
    for (const plugin of plugins.filter((name) => name !== packages)) {
      const versions = await readdir(join(this.#folder, plugin)).catch(() => [])
      for (const version of versions) {
        const folder = join(this.#folder, plugin, version)
        if (needed.has(folder)) continue
        try {
          if ((await stat(folder)).mtime >= before) continue
          this.#unpacking.delete(folder)
          await this.#takeAway(folder)
        } catch {
          // Another process was faster, or it is tried again the next time.
        }
      }
      await rmdir(join(this.#folder, plugin)).catch(() => {})
    }
  }

  /** A folder is there whole or not at all, also while it goes. */
  async #takeAway(folder: string): Promise<void> {
    const aside = `${folder}.${randomUUID()}`
    await rename(folder, aside)
    await rm(aside, { recursive: true, force: true })
  }

  #folderOf({ id, version, integrity }: Pick<Content, 'id' | 'version' | 'integrity'>): string {
    return join(this.#folder, id, folderName(version, integrity))
  }

  async #markUsed(folder: string): Promise<void> {
    const now = this.#clock.now()
    await utimes(folder, now, now).catch(() => {})
  }

  /** Its folder, `<id>/<version>-<hash>`, which is there whole or not at all. */
  async #unpacked(content: Content): Promise<string> {
    const folder = this.#folderOf(content)
    const known = this.#unpacking.get(folder)
    // Another process on this machine may have swept it.
    if (known && (await isThere(await known))) return folder
    const unpacking = this.#unpack(folder, content.integrity, content.manifest)
    this.#unpacking.set(folder, unpacking)
    unpacking.catch(() => this.#unpacking.delete(folder))
    return unpacking
  }

  async #unpack(folder: string, integrity: string, { id: plugin }: ArchiveManifest): Promise<string> {
    if (await isThere(folder)) {
      await this.#markUsed(folder)
      return folder
    }
    const bytes = await artefactOf(this.#database.owner, integrity)
    if (!bytes) throw pluginIntegrityFailed({ plugin, what: 'The archive' })
    const { files } = await readArchive(bytes)
    const aside = `${folder}.${randomUUID()}`
    try {
      await severalAtOnce([...files], async ([path, content]) => {
        const file = join(aside, path)
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, content)
      })
      await rename(aside, folder)
      await this.#markUsed(folder)
    } catch (error) {
      await rm(aside, { recursive: true, force: true })
      // Another process on this machine was first; what it wrote is verified as ours would be.
      if (!(await isThere(folder))) throw error
    }
    return folder
  }

  /** Lets unpacked code find the one SDK of this process, and the contracts of its peers. */
  async #linkPackages(peers: readonly string[]): Promise<void> {
    await this.#link(sdk, packageFolder(sdk))
    for (const peer of peers) {
      const { rows } = await sql<Content>`
        select id, version, integrity, manifest from core.plugin
        where source = 'store' and manifest ->> 'package' = ${peer} limit 1`.execute(this.#database.owner)
      await this.#link(peer, rows[0] ? await this.#unpacked(rows[0]) : packageFolder(peer))
    }
  }

  #linkOf(name: string): string {
    return join(this.#folder, packages, name)
  }

  async #link(name: string, to: string): Promise<void> {
    const link = this.#linkOf(name)
    if ((await readlink(link).catch(() => undefined)) === to) return
    await mkdir(dirname(link), { recursive: true })
    const aside = `${link}.${randomUUID()}`
    await symlink(to, aside, 'dir')
    await rename(aside, link)
  }
}

/** Names a version's folder, and its screens' address: another content has another. */
export function folderName(version: string, integrity: string): string {
  return `${version}-${Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex').slice(0, 16)}`
}

function packageFolder(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  if (file === undefined) throw new Error(`Package ${name} is not installed beside this platform.`)
  return dirname(file)
}

/** One after the other each file would wait its turn in a busy process; all at once they would be more than it may open. */
async function severalAtOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values()
  const worker = async () => {
    for (const one of rest) await work(one)
  }
  await Promise.all(Array.from({ length: openFiles }, worker))
}

async function isThere(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  )
}

/** @throws `PLUGIN_INTEGRITY_FAILED` (422) when a file is another than was packed, or one was added or taken away */
async function verifyFolder(folder: string, { id: plugin, files }: ArchiveManifest): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  const unknown = paths.find(
    (path) => !Object.hasOwn(files, path) && path !== 'manifest.json' && path !== 'signature.json',
  )
  if (unknown !== undefined) throw pluginIntegrityFailed({ plugin, what: unknown })
  await severalAtOnce(Object.entries(files), async ([path, integrity]) => {
    const bytes = await readFile(join(folder, path)).catch(() => undefined)
    if (!bytes || integrityOf(bytes) !== integrity) throw pluginIntegrityFailed({ plugin, what: path })
  })
}

/** @throws `MANIFEST_MISMATCH` (422) */
function demandSame(manifest: ArchiveManifest, plugin: PluginDefinition): void {
  const declared = pluginManifestSchema.strip().parse(manifest)
  const found = manifestOf(plugin)
  const difference = firstDifference(declared, declared.format === 1 ? inFirstFormat(found) : found)
  if (!difference) return
  const said = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200))
  throw manifestMismatch({
    plugin: manifest.id,
    what: difference.path,
    declared: said(difference.one),
    found: said(difference.other),
  })
}
