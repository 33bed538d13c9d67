import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packedBadges } from '../../core/test/packed-plugins.ts'
import { eventually, toast, visit } from './browser.ts'

let first: Buffer
let second: Buffer

beforeAll(async () => {
  first = await packedBadges()
  second = await packedBadges({
    version: '1.1.0',
    edits: [['src/plugin.ts', "reads: ['core.account']", "reads: ['core.account'], hosts: ['print.example.com']"]],
  })
})

// Other files find the modules they know.
afterAll(async () => {
  await using claire = await visit('/settings/modules')
  await claire.api.post('/api/core/plugins/badges/disable', {})
})

async function choose(page: Page, buffer: Buffer, name: string): Promise<void> {
  await page.getByLabel('Choose an archive').setInputFiles({ name, mimeType: 'application/gzip', buffer })
}

test('an archive is read, consented to and used a moment later, without a reload of this tab or another', async () => {
  await using claire = await visit('/settings/modules')
  const { page } = claire
  const other = await claire.tab('/')
  await choose(page, first, 'badges-1.0.0.tgz')
  const dialog = page.getByRole('dialog', { name: 'Install Visitor badges 1.0.0?' })
  await dialog.waitFor()
  await page.getByText('From the start for Reception.').waitFor()
  await page.getByText('core.account', { exact: true }).waitFor()
  expect(await page.evaluate(() => document.activeElement !== document.body)).toBe(true)

  // The safe button has the focus: Enter changes nothing.
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  expect(await page.getByRole('switch', { name: 'Visitor badges' }).count()).toBe(0)

  await choose(page, first, 'badges-1.0.0.tgz')
  await page.getByRole('button', { name: 'Install', exact: true }).click()
  await toast(page, 'Visitor badges 1.0.0 is installed').waitFor()
  await page.getByRole('switch', { name: 'Visitor badges' }).click()
  const desk = other.getByRole('navigation', { name: 'Main navigation' }).getByRole('link', { name: 'Reception desk' })
  await desk.click()
  await other.getByText('Nobody is expected').waitFor()
  expect(claire.complaints).toEqual([])
})

test('an upgrade shows only what it adds, in the person’s language, and keeps the old version when declined', async () => {
  await using camille = await visit('/settings/modules', {
    as: 'camille',
    size: { width: 390, height: 844 },
    theme: 'dark',
  })
  const { page } = camille
  await page
    .getByLabel('Choisir une archive')
    .setInputFiles({ name: 'badges-1.1.0.tgz', mimeType: 'application/gzip', buffer: second })
  await page.getByText('print.example.com').waitFor()
  expect(await page.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual(['Serveurs extérieurs qu’il appelle'])
  await page.getByRole('button', { name: 'Garder 1.0.0' }).click()
  await page.getByText('Version 1.0.0').last().waitFor()
  await page
    .getByLabel('Choisir une archive')
    .setInputFiles({ name: 'badges-1.1.0.tgz', mimeType: 'application/gzip', buffer: second })
  await page.getByRole('button', { name: 'Mettre à niveau' }).click()
  await toast(page, 'Badges visiteurs est maintenant en 1.1.0').waitFor()
  await eventually(() => page.getByText('Version 1.1.0').count()).toBe(1)
})

test('an archive that is none is refused in words beside the place it was dropped', async () => {
  await using claire = await visit('/settings/modules')
  await choose(claire.page, Buffer.from('plain'), 'notes.tgz')
  await claire.page.getByRole('alert').getByText('is not a gzipped tar').waitFor()
})
