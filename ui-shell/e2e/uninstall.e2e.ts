import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packedBadges } from '../../core/test/packed-plugins.ts'
import { eventually, toast, visit } from './browser.ts'

let archive: Buffer

beforeAll(async () => {
  archive = await packedBadges()
})

// Other files find the modules they know, and install this one themselves.
afterAll(async () => {
  await using claire = await visit('/settings/modules')
  const { data } = await claire.api.get<{ data: { id: string; plugin: string }[] }>('/api/core/plugin-archives')
  for (const { id } of data) await claire.page.request.delete(`/api/core/plugin-archives/${id}`)
})

async function install(page: Page): Promise<void> {
  await page
    .getByLabel('Choose an archive')
    .setInputFiles({ name: 'badges-1.0.0.tgz', mimeType: 'application/gzip', buffer: archive })
  await page.getByRole('button', { name: 'Install', exact: true }).click()
  await toast(page, 'Visitor badges 1.0.0 is installed').waitFor()
  await page.getByRole('switch', { name: 'Visitor badges' }).click()
  await eventually(() => page.getByRole('switch', { name: 'Visitor badges' }).getAttribute('aria-checked')).toBe('true')
}

test('P09: a module goes into an archive, comes back with its data, and is purged by who types its name', async () => {
  await using claire = await visit('/settings/modules')
  const { page, api } = claire
  await install(page)
  await api.post('/api/badges/badges', { visitor: 'Ada Lovelace' })
  const other = await claire.tab('/badges/desk')
  await other.getByText('Ada Lovelace').waitFor()

  await page.getByRole('button', { name: 'Uninstall Visitor badges' }).click()
  const dialog = page.getByRole('dialog', { name: 'Uninstall Visitor badges?' })
  await page.getByText('Only its code goes. 1 row').waitFor()
  // The safe button has the focus: Enter changes nothing.
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  expect(await page.getByRole('switch', { name: 'Visitor badges' }).count()).toBe(1)

  await page.getByRole('button', { name: 'Uninstall Visitor badges' }).click()
  await page.getByRole('radio', { name: /Archive the data/ }).waitFor()
  expect(await page.getByRole('radio', { name: /Archive the data/ }).isChecked()).toBe(true)
  await page.getByText('1 role loses rights').waitFor()
  // What it counts is what the archive then says.
  const said = /\d+ rows? of its own, and \d+ the platform keeps with them/
  const [own, beside] = (await page.getByText(said).innerText()).match(/\d+/g) ?? []
  await page.getByRole('button', { name: 'Uninstall', exact: true }).click()
  await toast(page, 'The data of Visitor badges is in an archive').waitFor()
  expect(await page.getByRole('switch', { name: 'Visitor badges' }).count()).toBe(0)
  // A tab that stood on its screen stands there no longer.
  await eventually(() => new URL(other.url()).pathname).not.toBe('/badges/desk')
  const nav = other.getByRole('navigation', { name: 'Main navigation' })
  expect(await nav.getByRole('link', { name: 'Reception desk' }).count()).toBe(0)

  await page
    .getByText(`${Number(own) + Number(beside)} rows (${own} of its own, ${beside} the platform keeps`)
    .waitFor()
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download the archive of Visitor badges 1.0.0' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^badges-1\.0\.0-.*\.ndjson\.gz$/)
  // Taken along, deleted here, and sent again.
  const bytes = await readFile(await file.path())
  await page.getByRole('button', { name: 'Delete the archive of Visitor badges 1.0.0' }).click()
  await page.getByRole('button', { name: 'Delete for ever' }).click()
  await toast(page, 'The archive is deleted').waitFor()
  const upload = (name: string, buffer: Buffer) =>
    page.getByLabel('Upload an archive').setInputFiles({ name, mimeType: 'application/gzip', buffer })
  await upload('torn.gz', bytes.subarray(0, bytes.length - 9))
  await page.getByText('torn.gz: The archive is not what was written').waitFor()
  await upload(file.suggestedFilename(), bytes)
  await toast(page, 'The archive of Visitor badges 1.0.0 is here').waitFor()
  expect(await page.getByText('torn.gz').count()).toBe(0)

  await page.getByRole('button', { name: 'Install Visitor badges 1.0.0 and restore its archive' }).click()
  await toast(page, /Visitor badges is restored: \d+ rows/).waitFor()
  await page.getByRole('switch', { name: 'Visitor badges' }).click()
  await nav.getByRole('link', { name: 'Reception desk' }).click()
  await other.getByText('Ada Lovelace').waitFor()

  await page.getByRole('button', { name: 'Uninstall Visitor badges' }).click()
  await page.getByRole('radio', { name: /Purge everything/ }).check()
  await page.getByText('1 archive of its data').waitFor()
  const go = page.getByRole('button', { name: 'Uninstall', exact: true })
  expect(await go.getAttribute('aria-disabled')).toBe('true')
  await page.getByLabel('Type badges to say that you mean it').fill('badges')
  await page.keyboard.press('Enter')
  await toast(page, 'The data of Visitor badges is gone').waitFor()
  await page.getByRole('button', { name: /Restore|restore its archive/ }).waitFor({ state: 'detached' })
  // The torn file alone was refused.
  expect(claire.complaints).toEqual([expect.stringContaining('status of 422')])
})

test('P09: a kept module waits on its card, and one workspace’s data goes alone, in French on a phone', async () => {
  await using camille = await visit('/settings/modules', {
    as: 'camille',
    size: { width: 390, height: 844 },
    theme: 'dark',
  })
  const { page, api } = camille
  await api.post('/api/core/plugins/hello/enable', {})
  await api.post('/api/hello/greetings', { text: 'Bonjour à tous' })
  await page.getByRole('button', { name: 'Désinstaller Bonjour' }).click()
  await page.getByRole('radio', { name: /Conserver les données/ }).check()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await page.getByRole('button', { name: 'Désinstaller', exact: true }).click()
  await toast(page, 'Bonjour est désinstallé, ses données sont conservées').waitFor()
  await page.getByText('non installé').waitFor()
  await page.getByRole('button', { name: 'Installer Bonjour', exact: true }).click()
  await toast(page, 'Bonjour 1.0.0 est installé').waitFor()

  await page.getByRole('button', { name: 'Données de Bonjour dans cet espace' }).click()
  await page.getByRole('dialog', { name: 'Données de Bonjour dans cet espace' }).waitFor()
  await page.getByRole('button', { name: 'Archiver les données' }).click()
  await toast(page, 'Les données de Bonjour sont dans une archive').waitFor()
  expect((await api.get<{ data: { rows: number } }>('/api/core/plugins/hello/data')).data.rows).toBe(0)
  await page.getByRole('button', { name: 'Restaurer l’archive de Bonjour 1.0.0' }).click()
  await toast(page, /Bonjour est restauré/).waitFor()
  await api.post('/api/core/plugins/hello/enable', {})
  const { data } = await api.get<{ data: { text: string }[] }>('/api/hello/greetings')
  expect(data.map(({ text }) => text)).toContain('Bonjour à tous')
})
