import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { packedBadges } from '../../core/test/packed-plugins.ts'
import { company, eventually, patience, toast, visit } from './browser.ts'

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
  const { data } = await claire.api.post<{ data: { job: string } }>('/api/core/plugins/badges/uninstall', {
    mode: 'purge',
    confirm: 'badges',
  })
  const state = async () => (await claire.api.get<{ data: { state: string } }>(`/api/core/jobs/${data.job}`)).data.state
  const gone = async () => {
    if ((await state()) !== 'done') throw new Error('The badges are still there.')
  }
  await vi.waitFor(gone, { timeout: patience, interval: 200 })
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

const badgesSwitch = (page: Page, name = 'Visitor badges') => page.getByRole('switch', { name })
const isOn = (page: Page, name?: string) => badgesSwitch(page, name).getAttribute('aria-checked')

test('a version that asks for another than is here is installed past that by who may, runs, and goes with what it needs', async () => {
  await using claire = await visit('/settings/modules')
  const { page, api } = claire
  const demanding = await packedBadges({
    version: '1.2.0',
    edits: [['src/plugin.ts', 'requires: {}', "requires: { hello: '^9.0.0' }"]],
  })
  await choose(page, demanding, 'badges-1.2.0.tgz')
  await page.getByText('needs hello ^9.0.0, found 1.0.0').waitFor()
  await page.getByRole('button', { name: 'Install past the versions it asks for' }).click()
  await toast(page, 'Visitor badges is now 1.2.0').waitFor()
  // It is taken over here a moment after it is installed, and until then it is busy.
  const off = async () => {
    const answer = await page.request.post('/api/core/plugins/badges/disable', {
      headers: { origin: company.url },
      data: {},
    })
    return answer.status()
  }
  await eventually(off).toBe(200)
  await page.reload()
  await badgesSwitch(page).click()
  await toast(page, 'Visitor badges is on').waitFor()

  await badgesSwitch(page, 'Hello').click()
  const dialog = page.locator('shell-breaks')
  await dialog.getByText('Visitor badges needs it and will be switched off first.').waitFor()
  expect(await dialog.getByRole('link', { name: 'Wall' }).getAttribute('href')).toBe('/hello/wall')
  await dialog.getByRole('button', { name: 'Switch off 2 modules' }).click()
  await toast(page, 'Hello is off').waitFor()
  expect([await isOn(page), await isOn(page, 'Hello')]).toEqual(['false', 'false'])
  for (const id of ['hello', 'badges']) await api.post(`/api/core/plugins/${id}/enable`, {})
})

test('a module that was stopped is switched on again, or off, from its card', async () => {
  await using claire = await visit('/settings/modules')
  const { page, api, context } = claire
  const failing = await packedBadges({
    version: '1.3.0',
    edits: [['src/routes.ts', 'const { data }', "throw new TypeError('no ink')\n      const { data }"]],
  })
  const file = { name: 'badges-1.3.0.tgz', mimeType: 'application/gzip', buffer: failing }
  const { data } = await api.upload<{ data: { id: string } }>('/api/core/plugin-uploads', { file })
  await api.post(`/api/core/plugin-uploads/${data.id}/install`, {})
  const stop = async () => {
    const square = '/api/badges/badges/0198c7b0-0000-7000-8000-000000000001/square'
    await eventually(async () => (await context.request.get(square)).status()).toBe(503)
    await page.reload()
  }
  await stop()
  const card = page.getByRole('listitem').filter({ has: badgesSwitch(page) })
  await card.getByText('of its last').waitFor()
  await card.getByRole('button', { name: 'Switch on again' }).click()
  await toast(page, 'Visitor badges is on').waitFor()
  expect(await isOn(page)).toBe('true')

  await stop()
  await card.getByRole('button', { name: 'Switch off', exact: true }).click()
  await page.locator('shell-breaks').getByRole('button', { name: 'Switch off', exact: true }).click()
  await toast(page, 'Visitor badges is off').waitFor()
  expect(await card.getByText('of its last').count()).toBe(0)
})
