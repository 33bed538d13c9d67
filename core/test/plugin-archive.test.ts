import { generateKeyPairSync } from 'node:crypto'
import { loyaltyPlugin } from '@socle/example-extend-contact'
import { badgesPlugin } from '@socle/example-third-party'
import { signPlugin } from '@socle/sdk/pack'
import { beforeAll, describe, expect, test } from 'vitest'
import { manifestOf, pluginManifestSchema } from '../src/plugins/manifest.ts'
import { integrityOf, readArchive } from '../src/plugins/store/archive.ts'
import { altered, archiveOf, entriesOf, packedBadges, type ArchiveEntry } from './packed-plugins.ts'

let packed: Buffer

beforeAll(async () => {
  packed = await packedBadges()
})

const code = (bytes: Uint8Array) =>
  readArchive(bytes).then(
    () => 'read',
    (error: { code?: string }) => error.code,
  )
const file = (name: string, body = 'x'): ArchiveEntry => ({ header: { name, size: Buffer.byteLength(body) }, body })

test('an archive says as data all that its code declares, and names every file by its SHA-512', async () => {
  const { manifest, files } = await readArchive(packed)
  expect(manifest).toMatchObject(manifestOf(badgesPlugin))
  expect(manifest).toMatchObject({
    capabilities: { reads: ['core.account'], writes: [], hosts: [], secrets: [] },
    tables: [{ schema: 'badges', table: 'badge' }],
    permissions: [{ id: 'badges.badge.print' }],
    routes: [{ method: 'get', path: '/badges/:id/square', answer: { type: 'object' } }],
    screens: [{ path: '/badges/desk', tag: 'badges-desk' }],
  })
  expect(Object.keys(manifest.files).toSorted()).toEqual(
    [...files.keys()].filter((it) => it !== 'manifest.json').toSorted(),
  )
  for (const [path, integrity] of Object.entries(manifest.files))
    expect(integrityOf(files.get(path) as Uint8Array)).toBe(integrity)
})

test('a version that cannot be held against others is none', () => {
  const fits = (version: string) =>
    pluginManifestSchema.safeParse({ ...JSON.parse(JSON.stringify(manifestOf(badgesPlugin))), version }).success
  expect(['1.0.0', '1.0.0-rc.1', '1.0.0-rc.1+5', '1.0.0-01', '01.0.0'].map(fits)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
})

test('fields it adds to records of others stand in what it says of itself', () => {
  expect(manifestOf(loyaltyPlugin)).toMatchObject({
    extends: [
      { resource: 'core.contact', fields: ['loyaltyTier', 'loyaltyPoints', 'loyaltyMemberSince', 'loyaltyCard'] },
    ],
    tables: [{ schema: 'loyalty', table: 'ext_contact' }],
  })
})

test('what an archive depends on is in it, and the SDK is not', async () => {
  const { files, manifest } = await readArchive(packed)
  const server = Buffer.from(files.get(manifest.main) as Uint8Array).toString()
  expect([...server.matchAll(/^import .*? from "([^"]+)"/gm)].map(([, from]) => from)).toEqual(['@socle/sdk'])
  expect(server.length).toBeGreaterThan(8_000)
})

test('the same sources give the same bytes', async () => {
  expect(integrityOf(await packedBadges())).toBe(integrityOf(packed))
})

test('a signature is over the manifest, and with it over every file', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const signed = await signPlugin(packed, privateKey)
  const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  expect((await readArchive(signed)).signer).toBe(key)
  expect((await readArchive(packed)).signer).toBeUndefined()
  const entries = await entriesOf(signed)
  const manifest = Buffer.from(entries.find(({ header }) => header.name === 'manifest.json')?.body as Uint8Array)
  const other = manifest.toString().replace('"1.0.0"', '"1.0.1"')
  expect(await code(await archiveOf(altered(entries, 'manifest.json', other)))).toBe('PLUGIN_INTEGRITY_FAILED')
})

describe('an archive is refused', () => {
  test.each<[string, readonly ArchiveEntry[]]>([
    ['that holds a symbolic link', [{ header: { name: 'a', size: 0, type: 'symlink', linkname: '/etc/passwd' } }]],
    ['that holds a hard link', [{ header: { name: 'a', size: 0, type: 'link', linkname: 'b' } }]],
    ['that holds a device', [{ header: { name: 'a', size: 0, type: 'character-device' } }]],
    ['with an absolute path', [file('/etc/cron.d/a')]],
    ['with a path that leads out of it', [file('server/../../a')]],
    ['with a path of another system', [file('server\\..\\a')]],
    ['that holds a file twice', [file('a'), file('a')]],
    ['of more than 2,000 files', Array.from({ length: 2_001 }, (_, at) => file(`f${at}`))],
    ['without a manifest', [file('server/plugin.js')]],
    ['whose manifest is no JSON', [file('manifest.json', '{')]],
    ['whose manifest lacks what must be in it', [file('manifest.json', '{ "id": "badges" }')]],
  ])('%s', async (_, entries) => {
    expect(await code(await archiveOf(entries))).toBe('ARCHIVE_REFUSED')
  })

  test('that is no gzipped tar, or breaks off', async () => {
    expect(await code(Buffer.from('plain text'))).toBe('ARCHIVE_REFUSED')
    await expect(readArchive(Buffer.from('plain text'))).rejects.toThrow(
      /^The archive is not a gzipped tar(?: \(.+\))?\. /,
    )
    expect(await code(packed.subarray(0, 500))).toBe('ARCHIVE_REFUSED')
  })

  test('that unpacks to more than 50 MB, when the limit is reached and not when it is whole', async () => {
    const zeros = Buffer.alloc(300 * 1_048_576)
    const bomb = await archiveOf([{ header: { name: 'a', size: zeros.byteLength }, body: zeros }])
    expect(bomb.byteLength).toBeLessThan(1_048_576)
    const before = process.memoryUsage().arrayBuffers
    expect(await code(bomb)).toBe('ARCHIVE_REFUSED')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1_048_576)
  })

  test('whose files are not what its manifest says: another content, one more, one less', async () => {
    const entries = await entriesOf(packed)
    const tampered = altered(entries, 'server/plugin.js', 'process.exit(1)')
    expect(await code(await archiveOf(tampered))).toBe('PLUGIN_INTEGRITY_FAILED')
    expect(await code(await archiveOf([...entries, file('server/more.js')]))).toBe('PLUGIN_INTEGRITY_FAILED')
    expect(await code(await archiveOf(entries.filter(({ header }) => header.name !== 'i18n/fr.json')))).toBe(
      'PLUGIN_INTEGRITY_FAILED',
    )
  })

  test('that takes a name or a schema of the platform', async () => {
    const entries = await entriesOf(packed)
    const manifest = Buffer.from(
      entries.find(({ header }) => header.name === 'manifest.json')?.body as Uint8Array,
    ).toString()
    const named = (id: string) =>
      archiveOf(altered(entries, 'manifest.json', manifest.replace('"id": "badges"', `"id": "${id}"`)))
    for (const id of ['core', 'auth', 'public', 'pg-catalog'])
      expect(await code(await named(id))).toBe('PLUGIN_ID_RESERVED')
    const foreign = manifest.replace('"schema": "badges"', '"schema": "core"')
    expect(await code(await archiveOf(altered(entries, 'manifest.json', foreign)))).toBe('ARCHIVE_REFUSED')
  })

  test('that offers others a place or a service, or is known, under a name of another module', async () => {
    const entries = await entriesOf(packed)
    const manifest = JSON.parse(
      Buffer.from(entries.find(({ header }) => header.name === 'manifest.json')?.body as Uint8Array).toString(),
    )
    const offering = (offers: object) =>
      archiveOf(altered(entries, 'manifest.json', JSON.stringify({ ...manifest, ...offers })))
    for (const offers of [
      { slots: ['core:home.widgets@2'] },
      { points: ['loans/reminders@1'] },
      { services: ['badges-more/prints@1'] },
      { permissions: [{ ...manifest.permissions[0], id: 'core.user.manage' }] },
      { emits: [{ name: 'core.account.printed', version: 1, payload: {} }] },
      { screens: [{ ...manifest.screens[0], id: 'hello.desk' }] },
      { screens: [{ ...manifest.screens[0], tag: 'hello-desk' }] },
    ])
      expect(await code(await offering(offers))).toBe('OFFER_FOREIGN')
    const own = { slots: ['badges:desk@1'], points: ['badges/reminders@1'], services: ['badges/prints@1'] }
    expect(await code(await offering(own))).toBe('read')
  })

  test('P41: whose words lack a language, ask for values the other has not, or cannot be read, is refused with the keys', async () => {
    const said = (edits: Parameters<typeof packedBadges>[0]) =>
      packedBadges(edits).then(
        () => 'packed',
        (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
      )
    const more = (en: object, fr: object) => ({
      files: { 'src/i18n/more.en.json': JSON.stringify(en), 'src/i18n/more.fr.json': JSON.stringify(fr) },
    })
    expect(await said(more({ 'badges.hint': 'Hint' }, {}))).toContain('WORDS_REFUSED')
    expect(await said(more({ 'badges.hint': 'Hint' }, {}))).toContain('fr.json badges.hint (missing)')
    expect(
      await said(more({ 'badges.n': '{count, plural, one {# badge} other {# badges}}' }, { 'badges.n': '{n} badges' })),
    ).toContain('fr.json badges.n (values)')
    expect(await said(more({ 'badges.n': 'Open {' }, { 'badges.n': 'Ouvrir' }))).toContain(
      'en.json badges.n (unreadable)',
    )
    expect(await said(more({ 'badges.n': { nested: 'no' } }, {}))).toContain('ARCHIVE_REFUSED')
    expect(await said(more({ 'badges.n': '<b>{name}</b>' }, { 'badges.n': '<b>{name}</b> !' }))).toBe('packed')
  })
})
